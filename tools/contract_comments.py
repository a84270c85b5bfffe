"""The comments of protos/ by what they are of, for the documentation of HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

from tools.api_reference import FIELDS, MESSAGES, NESTED, Place, described_files

TARGET = "services/web/maie_web/contract/comments.json"


def reference() -> str:
    """The whole file: an object with the comment of each message and each of its fields.

    Raises:
        ValueError: protoc refused the protos.
    """
    found = {name: text for file in described_files() for name, text in _of_file(file)}
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _of_file(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    comments: Mapping[Place, str] = {
        tuple(each.path): " ".join(each.leading_comments.split())
        for each in file.source_code_info.location
    }
    yield from _of_messages(file.package, file.message_type, (MESSAGES,), comments)


def _of_messages(
    above: str, messages: Iterable[DescriptorProto], place: Place, comments: Mapping[Place, str]
) -> Iterator[tuple[str, str]]:
    for number, message in enumerate(messages):
        name, own = f"{above}.{message.name}", (*place, number)
        if message.options.map_entry:
            continue
        yield name, comments.get(own, "")
        for index, field in enumerate(message.field):
            yield f"{name}.{field.name}", comments.get((*own, FIELDS, index), "")
        yield from _of_messages(name, message.nested_type, (*own, NESTED), comments)
