"""Checks an answer: JSON that is valid against the template and cites existing lines."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from maie_summary.check import content_problem, place_of, rule_broken
from maie_summary.llm.cited import cited_schema, uncited
from maie_summary.llm.support import Support
from maie_templates import Template, validator

Answer = Mapping[str, Any]

# Without guided decoding, models often write JSON as a Markdown code block.
FENCED = re.compile(r"\s*```[ ]*(?:json)?\s(.*?)```\s*", re.DOTALL | re.IGNORECASE)


class Unusable(ValueError):
    """An answer is unusable; the message says why, without text of the recording."""


def read_answer(
    text: str, template: Template, numbers: Collection[int], support: Support
) -> Answer:
    """Reads an answer.

    Args:
        text: The model's text; a code fence around all of it is dropped.
        template: The template.
        numbers: The numbers of the lines that it may cite.
        support: Checks answers against the lines.

    Raises:
        Unusable: It is not JSON, is invalid against the template with citations,
            cites lines that do not exist, or is not supported by them.
    """
    if fenced := FENCED.fullmatch(text):
        text = fenced[1]
    try:
        answer = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Unusable("it is not one JSON object") from error
    schema = cited_schema(template.schema)
    for problem in validator(schema).iter_errors(answer):
        raise Unusable(rule_broken(problem, schema))
    content, citations = uncited(template.schema, answer)
    for citation in citations:
        if unknown := set(citation.lines) - set(numbers):
            position = place_of(citation.pointer, template.schema)
            raise Unusable(f"{position} cites line {min(unknown)}, which does not exist")
    if problem := content_problem(content, template):
        raise Unusable(problem)
    if problem := support.problem(citations):
        raise Unusable(problem)
    return answer


def lines_cited(template: Template, answer: Answer) -> set[int]:
    """The numbers of all lines that an answer cites."""
    _, citations = uncited(template.schema, answer)
    return {number for citation in citations for number in citation.lines}


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
