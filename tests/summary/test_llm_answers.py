"""Which answers of a language model are read, and the errors for the others."""

from __future__ import annotations

import json

import pytest

from maie_summary.llm.answers import Unusable, read_answer
from maie_summary.llm.prompt import Line
from maie_summary.llm.support import Support
from maie_templates import Template
from tests.summary.points import POINTS

pytestmark = pytest.mark.unit


def support(template: Template, *said: str) -> Support:
    lines = (Line(number=at, text=text) for at, text in enumerate(said, 1))
    return Support(template, tuple(lines), "en")


ANSWER = {"headline": {"text": "Talk", "lines": [1]}, "points": []}


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "\n```\n{}\n```\n", "``` JSON \r\n{}```"])
def test_an_answer_may_stand_in_a_fence(fence: str) -> None:
    text = fence.replace("{}", json.dumps(ANSWER, indent=2))
    assert read_answer(text, POINTS, [1], support(POINTS, "A talk.")) == ANSWER


def test_what_stands_around_a_fence_is_no_answer() -> None:
    fenced = f"```json\n{json.dumps(ANSWER)}\n```"
    for text in (f"Here you are:\n{fenced}", f"{fenced}\n{fenced}", f"{fenced} I hope it helps."):
        with pytest.raises(Unusable, match="not one JSON object"):
            read_answer(text, POINTS, [1], support(POINTS, "A talk."))


def test_a_date_that_is_none_is_named_though_the_model_was_not_guided() -> None:
    schema = {
        "title": "Release",
        "description": "When it comes.",
        "type": "object",
        "properties": {"when": {"type": ["string", "null"], "format": "date", "maxLength": 10}},
    }
    release = Template.parse("release", json.dumps(schema), "{{ transcript }}")
    for when in ("next week", "2026-02-30"):
        with pytest.raises(Unusable, match=r"^\$\.when.* does not fit its") as caught:
            read_answer(
                json.dumps({"when": {"text": when, "lines": [1]}}),
                release,
                [1],
                support(release, "Next week."),
            )
        assert when not in str(caught.value)
    assert read_answer('{"when": null}', release, [1], support(release, "Next week.")) == {
        "when": None
    }


def test_problems_name_no_name_that_the_model_chose() -> None:
    schema = {
        "title": "People",
        "description": "Who said what.",
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": 5},
    }
    people = Template.parse("people", json.dumps(schema), "{{ transcript }}")
    for bad in ({"text": "too long", "lines": [1]}, {"text": "hi", "lines": [2]}):
        with pytest.raises(Unusable, match=r"^\$\.\*") as caught:
            read_answer(json.dumps({"Susan Miller": bad}), people, [1], support(people, "hi"))
        assert "Susan" not in str(caught.value)
