"""Examples of a template: short transcripts with their answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from maie_templates.formats import validator
from maie_templates.problems import TemplateProblem, line_of, pointer_of

MAX_EXAMPLES_BYTES = 64 * 1024
MAX_EXAMPLES = 8
MAX_TRANSCRIPT_LINES = 200
MAX_CITED_LINES = 8

Said = Annotated[str, Field(min_length=1)]
LineNumber = Annotated[int, Field(strict=True, ge=1, le=MAX_TRANSCRIPT_LINES)]
Cited = Annotated[tuple[LineNumber, ...], Field(min_length=1, max_length=MAX_CITED_LINES)]


class Example(BaseModel):
    """One example.

    Attributes:
        transcript: The lines of the transcript.
        answer: The summary; valid against the template's schema.
        lines: The numbers, from 1, of the lines that each item of the answer cites, by the
            item's JSON Pointer. An item is an item of a list, or a value outside of lists.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    transcript: Annotated[tuple[Said, ...], Field(min_length=1, max_length=MAX_TRANSCRIPT_LINES)]
    answer: dict[str, Any]
    lines: dict[str, Cited]


EXAMPLES = TypeAdapter(Annotated[tuple[Example, ...], Field(min_length=1, max_length=MAX_EXAMPLES)])


class ExamplesProblem(TemplateProblem):
    """Examples are invalid."""

    part = "examples_json"


def parse_examples(text: str, schema: Mapping[str, Any]) -> tuple[Example, ...]:
    """Parses a template's examples and checks them against its schema.

    Args:
        text: A JSON array of examples; empty for none.
        schema: The template's checked schema.

    Raises:
        ExamplesProblem: The examples are invalid.
    """
    if not text:
        return ()
    if len(text.encode()) > MAX_EXAMPLES_BYTES:
        raise ExamplesProblem(f"the examples are larger than {MAX_EXAMPLES_BYTES} bytes")
    try:
        examples = EXAMPLES.validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(map(str, first["loc"]))
        raise ExamplesProblem(
            f"the examples' {place or 'list'}: {first['msg']}", pointer=pointer_of(first["loc"])
        ) from error
    except (ValueError, RecursionError) as error:
        raise ExamplesProblem(f"the examples are not JSON: {error}", line=line_of(error)) from error
    held = validator(schema)
    for index, example in enumerate(examples):
        for misfit in held.iter_errors(example.answer):
            why = f"{misfit.json_path}: {misfit.message[:200]}"
            raise ExamplesProblem(
                f"the answer of example {index + 1} does not fit the schema: {why}",
                pointer=pointer_of((index, "answer", *misfit.absolute_path)),
            )
        if problem := _citation_problem(example):
            raise ExamplesProblem(
                f"the lines of example {index + 1}: {problem}", pointer=pointer_of((index, "lines"))
            )
    return examples


def _citation_problem(example: Example) -> str:
    """The problem with an example's line numbers; empty for none."""
    items = dict(_items(example.answer, ""))
    for pointer, value in items.items():
        if value is not None and pointer not in example.lines:
            return f"{pointer} comes from none"
    for pointer, numbers in example.lines.items():
        if pointer not in items:
            return f"{pointer} is no item of the answer"
        if max(numbers) > len(example.transcript):
            return f"{pointer} comes from line {max(numbers)}, which is not there"
    return ""


def _items(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """The values that need lines: each list item, and each value outside of lists."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _items(child, pointer + pointer_of((name,)))
    elif isinstance(value, list):
        yield from ((pointer + pointer_of((at,)), item) for at, item in enumerate(value))
    else:
        yield pointer, value
