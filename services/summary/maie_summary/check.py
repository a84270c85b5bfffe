"""Checks that a draft is valid against its template and that its sources exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2
from jsonschema.exceptions import ValidationError

from maie_summary.engine import Draft
from maie_templates import Template, validator

MAX_PROBLEM_CHARS = 200


def problem_with(draft: Draft, template: Template, segment_ids: Collection[str]) -> str:
    """What is wrong with a draft, or an empty string.

    Names positions and rules, never the text of the recording.
    """
    if problem := content_problem(draft.content, template):
        return problem
    for source in draft.sources:
        if not _exists(draft.content, source.pointer):
            return "a citation points at nothing"
        if not set(source.segment_ids) <= set(segment_ids):
            position = place_of(source.pointer, template.schema)
            return f"the citation of {position} names a segment that does not exist"
    return ""


def content_problem(content: Any, template: Template) -> str:
    """Why content is invalid against its template, or an empty string."""
    for error in validator(template.schema).iter_errors(content):
        return rule_broken(error, template.schema)
    try:
        json_format.ParseDict(content, struct_pb2.Struct()).SerializeToString()
    except (json_format.ParseError, ValueError, OverflowError):
        return "it holds a number or a character that cannot be stored"
    return ""


def rule_broken(error: ValidationError, schema: Mapping[str, Any]) -> str:
    """A position and the rule of the schema that it breaks, without the content."""
    rule = f"{error.validator} {error.validator_value!r}"[:MAX_PROBLEM_CHARS]
    return f"{place(error.absolute_path, schema)} does not fit its {rule}"


def place(path: Iterable[str | int], schema: Mapping[str, Any]) -> str:
    """A readable position in content, without names that are not in the schema."""
    known = set(_property_names(schema))
    return "$" + "".join(
        f"[{each}]" if isinstance(each, int) else f".{each if each in known else '*'}"
        for each in path
    )


def place_of(pointer: str, schema: Mapping[str, Any]) -> str:
    """A readable position for a JSON Pointer."""
    return place((_token(each) for each in pointer.split("/")[1:]), schema)


def _token(text: str) -> str | int:
    return int(text) if text.isdecimal() else text.replace("~1", "/").replace("~0", "~")


def _property_names(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(named := schema.get("properties"), Mapping):
            yield from named
        for child in schema.values():
            yield from _property_names(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from _property_names(child)


def _exists(content: Any, pointer: str) -> bool:
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(content, list) and name.isdecimal() and int(name) < len(content):
            content = content[int(name)]
        elif isinstance(content, dict) and name in content:
            content = content[name]
        else:
            return False
    return True
