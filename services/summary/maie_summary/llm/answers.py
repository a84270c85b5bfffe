"""Whether an answer is one: JSON that fits the template, of lines that there are."""

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

# Models whose server does not guide them like to write JSON as Markdown's code.
FENCED = re.compile(r"\s*```[ ]*(?:json)?\s(.*?)```\s*", re.DOTALL | re.IGNORECASE)


class Unusable(ValueError):
    """An answer cannot be used; the message says why, and holds nothing of the recording."""


def read_answer(
    text: str, template: Template, numbers: Collection[int], support: Support
) -> Answer:
    """Reads an answer.

    Args:
        text: What the model wrote; a code fence around all of it is left out.
        template: The template that it is to fill.
        numbers: The lines that it may cite.
        support: What was said.

    Raises:
        Unusable: It is no JSON, does not fit the template with citations,
            cites lines that do not exist, or says what they do not say.
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
            told = place_of(citation.pointer, template.schema)
            raise Unusable(f"{told} cites line {min(unknown)}, which does not exist")
    if told := content_problem(content, template):
        raise Unusable(told)
    if told := support.problem(citations):
        raise Unusable(told)
    return answer


def lines_cited(template: Template, answer: Answer) -> set[int]:
    """The numbers of all lines that an answer cites."""
    _, citations = uncited(template.schema, answer)
    return {number for citation in citations for number in citation.lines}


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
