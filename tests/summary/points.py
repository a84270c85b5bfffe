"""A small template, a model that fills it as it should, and summaries by scripted models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from maie_llm import Generation, Prompt
from maie_summary.check import problem_with
from maie_summary.engine import Draft, Segment
from maie_summary.llm.engine import LanguageModelEngine
from maie_summary.llm.prompt import MERGE
from maie_summary.settings import SummarySettings
from maie_templates import Template
from tests.scripted_model import ScriptedModel

LINE = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)
POINTS = Template.parse(
    "points",
    json.dumps(
        {
            "title": "Points",
            "description": "What was said.",
            "type": "object",
            "properties": {
                "headline": {"type": "string", "maxLength": 12},
                "points": {
                    "type": "array",
                    "maxItems": 3,
                    "items": {"type": "string", "maxLength": 8},
                },
            },
            "required": ["headline", "points"],
        }
    ),
    "Fill in:\n{{ schema }}\n<transcript>\n{{ transcript }}\n</transcript>\n",
)


def content(prompt: Prompt) -> str:
    return prompt.messages[-1].content


def material(prompt: Prompt) -> str:
    """What stands in the place of the transcript."""
    return content(prompt).split("<transcript>\n")[1].split("\n</transcript>")[0]


def lines(prompt: Prompt) -> list[tuple[int, str]]:
    """The lines that a prompt shows."""
    return [(int(number), text) for number, text in LINE.findall(material(prompt))]


def shown(model: ScriptedModel) -> list[tuple[int, str]]:
    """The lines that a model was asked about, each once, however often it was asked."""
    firsts = (each for each in model.prompts if "Answer again" not in content(each))
    return [line for each in firsts if not is_merge(each) for line in lines(each)]


def is_merge(prompt: Prompt) -> bool:
    return MERGE in content(prompt)


def summarise(prompt: Prompt) -> str:
    """What a good model answers: the first lines, or what is said in the answers to merge."""
    if is_merge(prompt):
        parts = [json.loads(part) for part in material(prompt).splitlines()]
        points = [point for part in parts for point in part["points"]]
        headline = parts[0]["headline"]
    else:
        points = [{"text": text[:8], "lines": [number]} for number, text in lines(prompt)]
        number, text = lines(prompt)[0]
        headline = {"text": text[:12], "lines": [number]}
    return json.dumps({"headline": headline, "points": points[:3]})


def truthful(value: Any, number: int, text: str) -> Any:
    """An answer of the same shape that says nothing but one line, and cites it."""
    if isinstance(value, dict):
        true = {name: truthful(child, number, text) for name, child in value.items()}
        return {**true, "lines": [number]} if "lines" in value else true
    if isinstance(value, list):
        return [truthful(child, number, text) for child in value]
    return text if isinstance(value, str) else value


def segments(texts: Sequence[str]) -> list[Segment]:
    return [Segment(segment_id=f"s{at}", text=text) for at, text in enumerate(texts, 1)]


async def fill(
    model: ScriptedModel,
    texts: Sequence[str],
    *,
    parts: int = 1,
    generation: Generation = Generation(),  # noqa: B008 - it is frozen
    **options: object,
) -> Draft:
    """A summary of a recording in so many parts."""
    engine = LanguageModelEngine(model, SummarySettings.model_validate(options))
    size = max(1, -(-len(texts) // parts))
    all_segments = segments(texts)
    notes = [
        json.loads(json.dumps(await engine.map(all_segments[at : at + size], POINTS, "en")))
        for at in range(0, len(texts), size)
    ]
    draft = await engine.reduce(notes, POINTS, generation)
    ids = {segment.segment_id for segment in all_segments}
    assert problem_with(draft, POINTS, ids) == ""
    assert model.under_way == 0
    return draft


def cited(draft: Draft) -> dict[str, tuple[str, ...]]:
    return {source.pointer: source.segment_ids for source in draft.sources}


def answers(*texts: str) -> Callable[[Prompt], str]:
    """Gives one answer after the other."""
    left = list(texts)
    return lambda prompt: left.pop(0)
