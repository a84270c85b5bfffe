"""The prompts that ask for a template filled from numbered lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_llm import Message
from maie_summary.llm.cited import cited_answer, cited_schema
from maie_templates import Template, render_prompt

MERGE = (
    "The recording is too long to be read at once. What stands in the place of the transcript are "
    "the answers for its consecutive parts, one JSON object a line. Make one answer for the whole "
    "recording of them: say once what is there twice, keep what matters most where there is no "
    "room for all, and keep the numbers of the lines."
)
EXAMPLE = (
    "<example>\n"
    "This is an example of the form. It is of another recording: its names, dates, figures and "
    "facts are not in the transcript that you are asked about, and must not be in your answer.\n"
    "Lines of the other recording:\n{lines}\n"
    "Answer for the other recording:\n{answer}\n"
    "</example>"
)
SPEAKERS = (
    "Each line of the transcript begins with who says it and a colon. I, me and my in a line are "
    "that speaker: what speakers say that they will do is theirs to do, and who is asked by name "
    "is to do what is asked. Name people as the lines do."
)
AGAIN = (
    "Answer again, without that. Cite the lines that say an item, keep to their words, and leave "
    "out what no line says."
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Line:
    """One line of a transcript.

    Attributes:
        number: From 1, through the whole recording.
        text: The text.
        speaker: What people call who says it; empty if nobody knows.
    """

    number: int
    text: str
    speaker: str = ""


def numbered(lines: Iterable[Line]) -> str:
    """Formats lines for a model: `[12] text`, or `[12] Anna: text`."""
    return "\n".join(f"[{line.number}] {_said(line)}" for line in lines)


def _said(line: Line) -> str:
    return " ".join(f"{line.speaker}: {line.text}".split() if line.speaker else line.text.split())


def variables(template: Template, transcript: str, language_code: str) -> dict[str, str]:
    """The variables of a template's prompt.

    Args:
        template: The template; its schema is passed with citations, as the
            model must answer it.
        transcript: The numbered lines, or the answers to merge.
        language_code: As a BCP-47 tag; empty if unknown.
    """
    schema = cited_schema(template.schema)
    return {
        "title": template.title,
        "description": template.description,
        "schema": json.dumps(schema, ensure_ascii=False, separators=(",", ":")),
        "examples": examples(template),
        "transcript": transcript,
        "language": language_code,
    }


def examples(template: Template) -> str:
    """A template's examples in the format for a model; empty without examples.

    Raises:
        StageError: INVALID_ARGUMENT with TEMPLATE_REJECTED if an item of an
            answer needs lines and has none.
    """
    texts = []
    for example in template.examples:
        lines = numbered(
            Line(number=at, text=text) for at, text in enumerate(example.transcript, 1)
        )
        try:
            answer = cited_answer(template.schema, example.answer, example.lines)
        except KeyError as error:
            why = f"an example does not say which lines {error.args[0]} comes from"
            raise invalid(
                Reason.TEMPLATE_REJECTED,
                f"The template {template.template_id!r} cannot be used: {why}.",
            ) from error
        compact = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        texts.append(EXAMPLE.format(lines=lines, answer=compact))
    return "\n\n".join(texts)


async def messages(template: Template, lines: Sequence[Line], language_code: str) -> list[Message]:
    """The chat messages that ask to fill a template from lines."""
    asked = await _render(template, numbered(lines), language_code)
    return [_user(f"{asked}\n\n{SPEAKERS}" if any(line.speaker for line in lines) else asked)]


async def merge_messages(
    template: Template, answers: Sequence[Mapping[str, Any]], language_code: str
) -> list[Message]:
    """The chat messages that ask to merge answers for consecutive parts.

    Args:
        template: The template.
        answers: Answers that are valid against the cited schema, in recording order.
        language_code: As a BCP-47 tag; empty if unknown.
    """
    parts = "\n".join(
        json.dumps(answer, ensure_ascii=False, separators=(",", ":")) for answer in answers
    )
    return [_user(f"{await _render(template, parts, language_code)}\n\n{MERGE}")]


def again(chat: Sequence[Message], problem: str) -> list[Message]:
    """The chat with the problem of the last answer, to ask again."""
    *before, last = chat
    note = f"Your last answer could not be used: {problem}. {AGAIN}"
    return [*before, _user(f"{last.content}\n\n{note}")]


async def _render(template: Template, transcript: str, language_code: str) -> str:
    return await render_prompt(template.prompt, variables(template, transcript, language_code))


def _user(content: str) -> Message:
    return Message(role="user", content=content)
