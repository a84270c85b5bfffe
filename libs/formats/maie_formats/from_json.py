"""Messages of the contract from the JSON that `as_json` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from maie_formats.as_json import enum_name

MessageT = TypeVar("MessageT", bound=Message)


def from_dict(values: Mapping[str, Any], message: MessageT) -> MessageT:
    """Reads JSON values into a message, and returns it.

    Enum values may have the short names of `as_json` or protobuf's own; fields the contract's
    names.

    Raises:
        ValueError: A field is unknown or has a wrong value; the text names it.
    """
    try:
        return json_format.ParseDict(_lengthened(message.DESCRIPTOR, values), message)
    except json_format.ParseError as error:
        raise ValueError(str(error)) from error


def _lengthened(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with protobuf's names of enum values."""
    fields = kind.fields_by_name
    return {
        name: _lengthened_value(fields[name], value) if name in fields else value
        for name, value in values.items()
    }


def _lengthened_value(field: Any, value: Any) -> Any:
    if isinstance(value, list) and field.is_repeated:
        return [_one(field, each) for each in value]
    return _one(field, value)


def _one(field: Any, value: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_ENUM and isinstance(value, str):
        names = {
            enum_name(field.enum_type, each.number): each.name for each in field.enum_type.values
        }
        return names.get(value, value)
    if field.type == FieldDescriptor.TYPE_MESSAGE and isinstance(value, dict):
        kind = field.message_type
        if kind.full_name.startswith("maie.") and not kind.GetOptions().map_entry:
            return _lengthened(kind, value)
    return value
