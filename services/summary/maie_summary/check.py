"""Whether a draft is a summary: valid against the template, its sources real."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from google.protobuf import json_format, struct_pb2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from maie_summary.engine import Draft
from maie_templates import Template

MAX_PROBLEM_CHARS = 200


def problem_with(draft: Draft, template: Template, segment_ids: Collection[str]) -> str:
    """What is wrong with a draft, or an empty string.

    Names places and rules, never the text of the recording.
    """
    if problem := content_problem(draft.content, template):
        return problem
    for source in draft.sources:
        if not _exists(draft.content, source.pointer):
            return "a citation points at nothing"
        if not set(source.segment_ids) <= set(segment_ids):
            return f"the citation of {source.pointer} names a segment that does not exist"
    return ""


def content_problem(content: Any, template: Template) -> str:
    """Why content is no summary by its template, or an empty string."""
    for error in Draft202012Validator(template.schema).iter_errors(content):
        return rule_broken(error)
    try:
        json_format.ParseDict(content, struct_pb2.Struct()).SerializeToString()
    except (json_format.ParseError, ValueError, OverflowError):
        return "it holds a number or a character that cannot be stored"
    return ""


def rule_broken(error: ValidationError) -> str:
    """A place and the rule of the schema that it breaks, without what stands there."""
    rule = f"{error.validator} {error.validator_value!r}"[:MAX_PROBLEM_CHARS]
    return f"{error.json_path} does not fit its {rule}"


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
