"""Schemas of OpenAPI from the descriptors of the contract's messages.

The JSON is that of `maie_formats.as_json`: the contract's field names, short names of enum values.
What fields mean is in comments.json, which `make generate` writes from the comments of the protos.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from litestar._openapi.schema_generation import SchemaCreator
from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Reference, Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from maie_formats.as_json import enum_name

Ask = Callable[[type[Message]], Schema | Reference]
_F = FieldDescriptor
_INTEGERS = (_F.TYPE_INT32, _F.TYPE_UINT32, _F.TYPE_SINT32, _F.TYPE_FIXED32, _F.TYPE_SFIXED32)
_LONG = (_F.TYPE_INT64, _F.TYPE_UINT64, _F.TYPE_SINT64, _F.TYPE_FIXED64, _F.TYPE_SFIXED64)
_NUMBERS = (_F.TYPE_DOUBLE, _F.TYPE_FLOAT)
# As protobuf's JSON has them: https://protobuf.dev/programming-guides/json/
_WELL_KNOWN = {
    "google.protobuf.Timestamp": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME),
    "google.protobuf.Duration": Schema(
        type=OpenAPIType.STRING, pattern=r"^-?\d+(\.\d+)?s$", examples=["12.300s"]
    ),
    "google.protobuf.Struct": Schema(type=OpenAPIType.OBJECT),
    "google.protobuf.Value": Schema(),
    "google.protobuf.ListValue": Schema(type=OpenAPIType.ARRAY),
}


class ContractSchemas(OpenAPISchemaPlugin):
    """Makes the schemas of handlers that take or return messages of the contract."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        """Whether a type is a message."""
        return isinstance(value, type) and issubclass(value, Message)

    def to_openapi_schema(
        self, field_definition: FieldDefinition, schema_creator: SchemaCreator
    ) -> Schema:
        """The schema of a message."""

        def ask(kind: type[Message]) -> Schema | Reference:
            return schema_creator.for_field_definition(FieldDefinition.from_annotation(kind))

        # Registered before its fields, which may have the same type.
        schema = schema_creator.schema_registry.get_schema_for_field_definition(field_definition)
        message: Any = field_definition.annotation
        kind = message.DESCRIPTOR
        schema.type = OpenAPIType.OBJECT
        schema.title = kind.name
        schema.description = comments()[kind.full_name]
        schema.properties = {field.name: _described(field, ask) for field in kind.fields}
        schema.required = [field.name for field in kind.fields if not field.has_presence] or None
        return schema


@cache
def comments() -> Mapping[str, str]:
    """The comments of messages and fields, by their full names."""
    file = files("maie_web.contract") / "comments.json"
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _described(field: Any, ask: Ask) -> Schema | Reference:
    """The schema of a field, with what it means."""
    schema, comment = _field(field, ask), comments()[field.full_name]
    if isinstance(schema, Reference):  # its siblings would describe the type
        return Schema(all_of=[schema], description=comment)
    return replace(schema, description=comment)


def _field(field: Any, ask: Ask) -> Schema | Reference:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        values = _one(kind.fields_by_name["value"], ask)
        return Schema(type=OpenAPIType.OBJECT, additional_properties=values)
    if field.is_repeated:
        return Schema(type=OpenAPIType.ARRAY, items=_one(field, ask))
    return _one(field, ask)


def _one(field: Any, ask: Ask) -> Schema | Reference:
    match field.type:
        case _F.TYPE_MESSAGE:
            name = field.message_type.full_name
            return _WELL_KNOWN.get(name) or ask(message_factory.GetMessageClass(field.message_type))
        case _F.TYPE_ENUM:
            values = [enum_name(field.enum_type, each.number) for each in field.enum_type.values]
            return Schema(type=OpenAPIType.STRING, enum=values)
        case _F.TYPE_BOOL:
            return Schema(type=OpenAPIType.BOOLEAN)
        case _F.TYPE_BYTES:
            return Schema(type=OpenAPIType.STRING, content_encoding="base64")
        case _ if field.type in _INTEGERS:
            return Schema(type=OpenAPIType.INTEGER)
        case _ if field.type in _LONG:
            return Schema(type=OpenAPIType.STRING, pattern=r"^-?\d+$")
        case _ if field.type in _NUMBERS:
            return Schema(type=OpenAPIType.NUMBER)
    return Schema(type=OpenAPIType.STRING)
