"""Jobs as JSON with the field names of the contract."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

# Names in the spelling of the command line.
_LOWER_CASE = frozenset({"Feature", "Stage"})


def to_dict(message: Message) -> dict[str, Any]:
    """A message as JSON values.

    Fields have the contract's names, and are present even if they are
    empty, except for optional ones. Enum values have no protobuf
    prefix: the state is "COMPLETE", the stage "asr", the
    feature "clean_transcript". Durations are "12.300s", 64-bit integers
    strings, as in protobuf's JSON.
    """
    values = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    _shorten(message, values)
    return values


def to_json(message: Message, *, indent: int | None = None) -> str:
    """A message as JSON text; without `indent` on one line."""
    return json.dumps(to_dict(message), ensure_ascii=False, indent=indent)


def enum_name(kind: Any, number: int) -> str:
    """An enum value's name without its prefix; its number if it has no name.

    Args:
        kind: The enum's descriptor.
        number: The value.
    """
    value = kind.values_by_number.get(number)
    if value is None:
        return str(number)
    prefix = kind.values[0].name.removesuffix("UNSPECIFIED")
    name: str = value.name.removeprefix(prefix)
    return name.lower() if kind.name in _LOWER_CASE else name


def _shorten(message: Message, values: dict[str, Any]) -> None:
    for field in message.DESCRIPTOR.fields:
        if field.name not in values:
            continue
        content = getattr(message, field.name)
        if field.type == FieldDescriptor.TYPE_ENUM:
            values[field.name] = _names(field, content)
        elif field.type == FieldDescriptor.TYPE_MESSAGE and _is_ours(field):
            _shorten_nested(field, content, values[field.name])


def _names(field: Any, content: Any) -> Any:
    if field.is_repeated:
        return [enum_name(field.enum_type, number) for number in content]
    return enum_name(field.enum_type, content)


def _is_ours(field: Any) -> bool:
    kind = field.message_type
    return bool(kind.full_name.startswith("maie.") and not kind.GetOptions().map_entry)


def _shorten_nested(field: Any, content: Any, values: Any) -> None:
    if field.is_repeated:
        for each, nested in zip(content, values, strict=True):
            _shorten(each, nested)
    else:
        _shorten(content, values)
