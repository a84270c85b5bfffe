"""Every template that ships is filled by the engine `extractive`, and put to a language model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from maie_core.errors import StageError
from maie_llm import Generation
from maie_summary.check import problem_with
from maie_summary.engine import Draft, Segment
from maie_summary.engines.extractive import create
from maie_summary.llm.cited import cited_answer, cited_schema, uncited
from maie_summary.llm.prompt import Line, examples, messages
from maie_summary.settings import SummarySettings
from maie_templates import Template, TemplateLibrary

pytestmark = pytest.mark.unit

TALKS = Path(__file__).parent / "talks"
SHIPPED = TemplateLibrary().templates()


def talk(name: str, times: int = 1) -> list[Segment]:
    lines = (TALKS / f"{name}.txt").read_text().splitlines() * times
    return [Segment(segment_id=f"c0000-s{at:04d}", text=line) for at, line in enumerate(lines)]


async def fill(template: Template, segments: list[Segment], part: int = 100) -> Draft:
    async with create(SummarySettings()) as engine:
        notes = [
            await engine.map(segments[at : at + part], template, "en")
            for at in range(0, len(segments), part)
        ]
        return await engine.reduce(notes, template, Generation())


@pytest.mark.parametrize("template", SHIPPED, ids=lambda template: template.template_id)
@pytest.mark.parametrize(
    "segments",
    [
        [],
        [Segment(segment_id="c0000-s0000", text="Hello.")],
        talk("call"),
        [*talk("interview", 60)],
    ],
    ids=["empty", "short", "call", "long"],
)
async def test_every_shipped_template_is_filled_from_any_transcript(
    template: Template, segments: list[Segment]
) -> None:
    draft = await fill(template, segments)
    assert problem_with(draft, template, {segment.segment_id for segment in segments}) == ""
    assert set(draft.content) == set(template.schema["required"])


async def test_an_interview_gives_its_questions_and_quotes() -> None:
    content = (await fill(TemplateLibrary().get("interview_v1"), talk("interview"))).content
    asked = {"question": "What did you like most about your last job?", "answer": None}
    assert asked in content["questions"]
    said = {
        "quote": "We had a small team and we could decide many things on our own.",
        "speaker": None,
    }
    assert said in content["quotes"]
    assert content["follow_ups"] == [
        {"task": "Send you the contract", "owner": None, "due": "Monday"}
    ]
    assert (content["people"], content["claims_to_check"]) == ([], [])


async def test_a_lecture_gives_its_terms_and_assignments_and_defines_nothing() -> None:
    content = (await fill(TemplateLibrary().get("lecture_v1"), talk("lecture"))).content
    assert {"name": "water", "definition": None} in content["concepts"]
    assert all(concept["definition"] is None for concept in content["concepts"])
    assert content["assignments"] == [{"task": "Read chapter five", "due": "Thursday"}]
    assert (content["outline"], content["illustrations"], content["exam_hints"]) == ([], [], [])


async def test_a_support_call_gives_promises_and_does_not_guess_how_it_went() -> None:
    content = (await fill(TemplateLibrary().get("support_call_v1"), talk("call"))).content
    promise = {"task": "Check the door lock", "owner": "Our technician", "due": "Friday"}
    assert promise in content["follow_ups"]
    agreed = "We agreed that you keep the old hose until the technician has seen it."
    assert content["agreements"] == [agreed]
    assert (content["status"], content["sentiment"]) == ("unknown", "unknown")
    assert (content["problem"], content["resolution"], content["steps_tried"]) == (None, None, [])


@pytest.mark.parametrize("template", SHIPPED, ids=lambda template: template.template_id)
async def test_examples_reach_the_model_as_it_must_answer(template: Template) -> None:
    chat = await messages(template, [Line(number=7, text="What was said.")], "en")
    prompt = chat[-1].content
    assert "[7] What was said." in prompt
    assert template.examples or template.template_id == "meeting_notes_v1"
    for example in template.examples:
        answer = cited_answer(template.schema, example.answer, example.lines)
        Draft202012Validator(cited_schema(template.schema)).validate(answer)
        content, citations = uncited(template.schema, answer)
        assert content == example.answer
        assert {each.pointer: each.lines for each in citations} == dict(example.lines)
        assert json.dumps(answer, ensure_ascii=False, separators=(",", ":")) in prompt
        assert f"[1] {example.transcript[0]}" in prompt


def test_an_example_without_lines_for_what_the_model_must_cite_is_refused() -> None:
    schema = {
        "title": "Test",
        "description": "A template of a test.",
        "type": "object",
        "properties": {"mood": {"enum": ["good", None]}},
    }
    example = {"transcript": ["Hello."], "answer": {"mood": None}, "lines": {}}
    template = Template.parse("test", json.dumps(schema), "x", json.dumps([example]))
    with pytest.raises(StageError, match="which lines /mood comes from"):
        examples(template)
