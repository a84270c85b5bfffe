"""Whether a draft is a summary: valid against the template, its sources real."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jsonschema import Draft202012Validator

from maie_summary.engine import Draft
from maie_templates import Template

MAX_PROBLEM_CHARS = 200


def problem_with(draft: Draft, template: Template, segment_ids: Collection[str]) -> str:
    """What is wrong with a draft, or an empty string.

    Names places and rules, never the text of the recording.
    """
    validator = Draft202012Validator(template.schema)
    for error in validator.iter_errors(draft.content):
        rule = f"{error.validator} {error.validator_value!r}"[:MAX_PROBLEM_CHARS]
        return f"{error.json_path} does not fit its {rule}"
    for source in draft.sources:
        if not _exists(draft.content, source.pointer):
            return "a citation points at nothing"
        if not set(source.segment_ids) <= set(segment_ids):
            return f"the citation of {source.pointer} names a segment that does not exist"
    return ""


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
