"""The tiny Qwen3 is whole, knows the prompts of today, and its meetings have notes that fit."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from maie_core.models import refuse_pickles, verify_directory
from maie_summary.check import problem_with
from maie_summary.engine import Draft
from maie_summary.llm.cited import cited_schema, uncited
from maie_templates import TemplateLibrary
from tests.models.meetings import MODEL, random_meeting, random_text, spoken
from tests.models.meetings.examples import constants, tasks
from tests.models.meetings.sentences import SENTENCES

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
NOTES = TemplateLibrary().get("meeting_notes_v1")
RETRAIN = "the prompts have changed: train the model anew, see tests/models/tiny-qwen3/README.md"


def test_the_model_is_what_its_manifest_says() -> None:
    refuse_pickles(MODEL)
    assert "model.safetensors" in verify_directory(MODEL).files


def test_the_model_was_trained_on_the_prompts_that_services_write() -> None:
    tokenizer = json.loads((MODEL / "tokenizer.json").read_text())
    known = {token["content"] for token in tokenizer["added_tokens"]}
    assert set(constants(tasks(0))) <= known, RETRAIN


def test_the_sentences_are_told_apart_by_their_words() -> None:
    assert len(SENTENCES) == 100
    assert len({sentence.words for sentence in SENTENCES}) == len(SENTENCES)
    sample = (ROOT / "samples" / "standup.txt").read_text().replace("Good morning everyone.", "")
    said = " ".join(line.partition(":")[2].strip() for line in sample.splitlines()).strip()
    for sentence in sorted(SENTENCES, key=lambda each: len(each.text), reverse=True):
        said = said.replace(sentence.text, "")
    assert not said.split()


@pytest.mark.parametrize("lines", [1, 2, 5, 12, 40])
def test_the_notes_of_a_meeting_fit_the_template_and_cite_lines_that_say_so(lines: int) -> None:
    chance = random.Random(lines)
    for first in (1, 30, 150):
        meeting = random_meeting(chance, lines, first)
        said = dict(enumerate(meeting.texts(), first))
        answer = json.loads(meeting.answer())
        schema = cited_schema(NOTES.schema, first, first + lines - 1)
        Draft202012Validator(schema).validate(answer)
        content, citations = uncited(NOTES.schema, answer)
        assert problem_with(Draft(content=content), NOTES, ()) == ""
        for citation in citations:
            assert set(citation.lines) <= set(said)
        for question in answer["questions"]:
            assert question["text"] in said[question["lines"][0]]
        for item in answer["action_items"]:
            assert item["owner"] is None or item["owner"] in said[item["lines"][0]]


def test_the_same_luck_gives_the_same_meeting_and_parts_make_the_whole() -> None:
    meeting = random_meeting(random.Random(7), 9)
    assert meeting == random_meeting(random.Random(7), 9)
    parts = meeting.parts([4, 5])
    assert [part.first for part in parts] == [1, 5]
    points = [point for part in parts for point in part.cited()["key_points"]]
    assert points == meeting.cited()["key_points"]


def test_spoken_words_are_those_of_the_text() -> None:
    text = random_text(random.Random(3), 40)
    written = [word.strip(".,?!:").lower() for word in text.split()]
    assert spoken(text).split() == written
