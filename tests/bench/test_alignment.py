"""The bench of readings plants what it says, and counts what was found."""

from __future__ import annotations

import numpy as np
import pytest

from bench.alignment.judging import Judged, errors
from bench.alignment.passages import Passage
from bench.alignment.planting import Planted, plant_in_sound, plant_in_text, untouched
from bench.alignment.scores import area
from bench.alignment.voices import texts
from bench.readings import SAMPLE_RATE
from maie.alignment.v1 import alignment_pb2 as alignment
from maie_alignment.text import text_words
from maie_core.durations import duration

pytestmark = pytest.mark.unit

TEXT = " ".join(f"w{letter}" for letter in "abcdefghijklmnopqrstuvxyz")
WORD = 0.25


@pytest.fixture(name="passage")
def _passage() -> Passage:
    words = tuple(text_words(f"{TEXT} {TEXT.upper()}"))
    size = round(WORD * SAMPLE_RATE)
    # Each word is a loudness of its own.
    audio = np.repeat(np.linspace(0.1, 0.9, len(words)), size).astype(np.float32)
    spans = tuple((place * WORD, (place + 1) * WORD) for place in range(len(words)))
    return Passage(
        speaker="a", audio=audio, text=f"{TEXT} {TEXT.upper()}", words=words, spans=spans
    )


def test_errors_in_the_text_are_where_they_are_said_to_be(passage: Passage) -> None:
    faulty = plant_in_text(passage, ["another"], seed=1)
    asked = [word.text for word in text_words(faulty.text)]
    own = [word.text for word in passage.words]
    kinds = [each.kind for each in faulty.planted]
    assert set(kinds) == {"wrong", "skipped", "inserted"}
    added, removed = kinds.count("skipped"), kinds.count("inserted")
    assert len(asked) == len(own) + added - removed
    for each in faulty.planted:
        if each.kind != "inserted":
            assert asked[each.place] == "another"
    assert faulty.correct == len(own) - kinds.count("wrong") - removed


def test_errors_in_the_sound_change_its_length_by_what_they_are(passage: Passage) -> None:
    um = np.ones(SAMPLE_RATE // 5, np.float32)
    faulty = plant_in_sound(passage, um, seed=1)
    kinds = [each.kind for each in faulty.planted]
    longer = {
        "wrong": 0.0,
        "skipped": -WORD,
        "inserted": WORD,
        "repeated": WORD,
        "filler": 0.2 + 2 * 0.15,
        "hesitation": 1.0,
    }
    change = (len(faulty.audio) - len(passage.audio)) / SAMPLE_RATE
    assert change == pytest.approx(sum(longer[kind] for kind in kinds), abs=0.01)
    assert faulty.seconds == pytest.approx(untouched(passage).seconds + change)
    assert faulty.text == passage.text


def test_an_error_counts_where_it_was_planted_and_with_its_kind() -> None:
    judged = Judged()
    planted = [Planted(kind="wrong", place=1), Planted(kind="skipped", place=3)]
    judged.add(planted, reading("a", "b!", "c", "d!", "+x", "e"))
    assert (judged.recall("wrong"), judged.recall("skipped")) == (1, 0)
    assert judged.noticed["skipped"] == 1
    # The word at 3 was found wrong, and was skipped.
    assert judged.precision("wrong") == 0.5
    assert judged.precision("skipped") is None
    assert judged.false == {"wrong": 1, "inserted": 1}
    assert (judged.false_words(), judged.words) == (2, 5)


def test_a_hesitation_is_before_the_word_that_follows() -> None:
    made = reading("a", "b", "c")
    made.pauses.add(hesitation=True).range.end_offset.CopyFrom(duration(2.0))
    assert [(each.kind, each.place) for each in errors(made)] == [("hesitation", 2)]


def test_the_area_is_how_often_right_ones_are_above_wrong_ones() -> None:
    assert area([1.0, 0.8], [0.1, 0.8]) == (1 + 1 + 1 + 0.5) / 4


def test_each_clip_has_a_text_of_its_own() -> None:
    assert len(texts()) == 100
    assert all(text_words(text) for text in texts().values())


def reading(*marked: str) -> alignment.Reading:
    """Words a second apart; "!" is wrong, and "+" is inserted."""
    made = alignment.Reading()
    for second, word in enumerate(marked):
        each = made.words.add(text=word.strip("!+"), outcome=alignment.WORD_OUTCOME_CORRECT)
        each.range.start_offset.CopyFrom(duration(float(second)))
        if word.endswith("!"):
            each.outcome = alignment.WORD_OUTCOME_WRONG
        if word.startswith("+"):
            each.outcome = alignment.WORD_OUTCOME_INSERTED
        else:
            each.text_offset = second
    return made
