"""docs/api.md from the comments of protos/: services, their messages and enums."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import google.rpc
import grpc_tools
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from grpc_tools import protoc

ROOT = Path(__file__).parents[1]
TARGET = "docs/api.md"
PROTOS = ROOT / "protos"
INCLUDES = (
    PROTOS,
    Path(str(files(grpc_tools) / "_proto")),
    Path(google.rpc.__path__[0]).parents[1],
)
INTRODUCTION = """\
# API reference

The contract of maie, in gRPC: each service with its calls, and every message that they use.
`make generate` writes this page from the comments of [protos/](../protos), and `make lint` fails
when it is stale. [reasons.md](reasons.md) has what errors mean, and [access.md](access.md) keys and
scopes. The Python client wraps all of it ([libs/client](../libs/client));
[grpcurl.md](../examples/grpcurl.md) shows calls without it.
"""
OWN = ".maie."
# The numbers of fields within descriptor.proto, of which a comment's place is made.
MESSAGES, ENUMS, SERVICES = 4, 5, 6
FIELDS, NESTED, NESTED_ENUMS, VALUES, METHODS = 2, 3, 4, 2, 2

Place = tuple[int, ...]


def reference() -> str:
    """The whole page.

    Raises:
        ValueError: protoc refused the protos.
    """
    described = described_files()
    used = _used(described)
    parts = [INTRODUCTION]
    for file in described:
        parts += _File(file, used).parts()
    return "\n".join(parts)


def described_files() -> list[FileDescriptorProto]:
    """The files of the contract, with their comments."""
    sources = sorted(proto.relative_to(PROTOS).as_posix() for proto in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "set.binpb"
        options = [f"--descriptor_set_out={target}", "--include_source_info"]
        includes = [f"-I{include}" for include in INCLUDES]
        if protoc.main(["protoc", *includes, *options, *sources]) != 0:
            raise ValueError("protoc refused the protos; it has said why on stderr")
        return list(FileDescriptorSet.FromString(target.read_bytes()).file)


def _used(described: Iterable[FileDescriptorProto]) -> set[str]:
    """The messages and enums that calls send and return, with all within them."""
    messages: dict[str, DescriptorProto] = {}
    found: set[str] = set()
    waiting: list[str] = []
    for file in described:
        messages |= _messages(f".{file.package}", file.message_type)
        for service in file.service:
            for method in service.method:
                waiting += (method.input_type, method.output_type)
    while waiting:
        name = waiting.pop()
        if name in found or not name.startswith(OWN):
            continue
        found.add(name)
        if name in messages:
            waiting += [each.type_name for each in _fields(messages[name])]
    return found


def _messages(above: str, own: Iterable[DescriptorProto]) -> dict[str, DescriptorProto]:
    found: dict[str, DescriptorProto] = {}
    for message in own:
        name = f"{above}.{message.name}"
        found |= {name: message, **_messages(name, message.nested_type)}
    return found


def _fields(message: DescriptorProto) -> Iterator[FieldDescriptorProto]:
    """The fields of a message, and those of the entries of its maps."""
    yield from message.field
    for nested in message.nested_type:
        if nested.options.map_entry:
            yield from nested.field


class _File:
    """The parts of the page about one file of the contract."""

    def __init__(self, file: FileDescriptorProto, used: set[str]) -> None:
        self._file = file
        self._used = used
        self._comments: Mapping[Place, str] = {
            tuple(each.path): each.leading_comments for each in file.source_code_info.location
        }

    def parts(self) -> Iterator[str]:
        """The file's parts; none where no call uses it."""
        package = self._file.package
        types = [
            *self._types(f".{package}", self._file.message_type, (MESSAGES,), NESTED),
            *self._enums(f".{package}", self._file.enum_type, (ENUMS,)),
        ]
        if not types and not self._file.service:
            return
        yield f"## {self._file.name}\n"
        for number, service in enumerate(self._file.service):
            yield f"### {package}.{service.name}\n\n{self._comment((SERVICES, number))}\n"
            for place, method in enumerate(service.method):
                yield self._method(method, (SERVICES, number, METHODS, place))
        yield from types

    def _comment(self, place: Place) -> str:
        lines = self._comments.get(place, "").splitlines()
        # Angle brackets would be tags.
        return "\n".join(line.removeprefix(" ") for line in lines).strip().replace("<", "&lt;")

    def _method(self, method: MethodDescriptorProto, place: Place) -> str:
        takes = f"{'a stream of ' if method.client_streaming else ''}{_linked(method.input_type)}"
        gives = f"{'a stream of ' if method.server_streaming else ''}{_linked(method.output_type)}"
        return f"#### {method.name}\n\n{takes} → {gives}\n\n{self._comment(place)}\n"

    def _types(
        self, above: str, messages: Iterable[DescriptorProto], place: Place, nested: int
    ) -> Iterator[str]:
        for number, message in enumerate(messages):
            name, own = f"{above}.{message.name}", (*place, number)
            if name not in self._used or message.options.map_entry:
                continue
            yield f"### {name[1:]}\n\n{self._comment(own)}\n{self._table(message, own)}"
            yield from self._types(name, message.nested_type, (*own, nested), nested)
            yield from self._enums(name, message.enum_type, (*own, NESTED_ENUMS))

    def _table(self, message: DescriptorProto, place: Place) -> str:
        if not message.field:
            return ""
        maps = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
        rows = "".join(
            f"| `{field.name}` | {_type(field, maps, message)} | "
            f"{self._cell((*place, FIELDS, number))} |\n"
            for number, field in enumerate(message.field)
        )
        return f"\n| field | type | meaning |\n| --- | --- | --- |\n{rows}"

    def _enums(
        self, above: str, enums: Iterable[EnumDescriptorProto], place: Place
    ) -> Iterator[str]:
        for number, enum in enumerate(enums):
            name, own = f"{above}.{enum.name}", (*place, number)
            if name in self._used:
                rows = "".join(
                    f"| `{value.name}` | {self._cell((*own, VALUES, index))} |\n"
                    for index, value in enumerate(enum.value)
                )
                yield (
                    f"### {name[1:]}\n\n{self._comment(own)}\n\n| value | meaning |\n"
                    f"| --- | --- |\n{rows}"
                )

    def _cell(self, place: Place) -> str:
        return " ".join(self._comment(place).split()).replace("|", "\\|")


def _type(
    field: FieldDescriptorProto, maps: Mapping[str, DescriptorProto], message: DescriptorProto
) -> str:
    """A field's type in words."""
    if entry := maps.get(field.type_name.rpartition(".")[2]):
        key, value = entry.field
        return f"map of {_plain(key)} to {_plain(value)}"
    name = _plain(field)
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"list of {name}"
    if field.proto3_optional:
        return f"{name}, optional"
    if field.HasField("oneof_index"):
        return f"{name}, one of `{message.oneof_decl[field.oneof_index].name}`"
    return name


def _plain(field: FieldDescriptorProto) -> str:
    if field.type_name:
        return _linked(field.type_name)
    return FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def _linked(name: str) -> str:
    """The name of a type, with a link where it is on this page."""
    shown = name.rpartition(".")[2] if name.startswith(OWN) else name[1:]
    if not name.startswith(OWN):
        return f"`{shown}`"
    # As GitHub and MkDocs make the anchor of a heading.
    return f"[{shown}](#{name.replace('.', '').lower()})"
