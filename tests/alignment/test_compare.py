"""What became of words, as far as words tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_alignment.reading.compare import HeardWord, compare
from maie_alignment.reading.pieces import pieces
from maie_alignment.text import text_words

pytestmark = pytest.mark.unit

MARKS = {
    alignment.WORD_OUTCOME_CORRECT: "",
    alignment.WORD_OUTCOME_WRONG: "!",
    alignment.WORD_OUTCOME_SKIPPED: "-",
    alignment.WORD_OUTCOME_NOT_REACHED: ".",
    alignment.WORD_OUTCOME_INSERTED: "+",
    alignment.WORD_OUTCOME_REPEATED: "=",
    alignment.WORD_OUTCOME_FILLER: "~",
}
WORDS = st.lists(st.sampled_from(["a", "big", "dog", "um", "20", "x-y"]), max_size=12)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ("The big dog cannot bark.", "the big dog can not bark"),
        ("the big dock can not bark", "the big dog! can not bark"),
        ("the dog can not bark", "the big- dog can not bark"),
        ("the big the big dog can not bark", "the big the= big= dog can not bark"),
        ("the big d do dog can not bark", "the big d+ do= dog can not bark"),
        ("the um big dog can really not bark", "the um~ big dog can really+ not bark"),
        ("the big dog", "the big dog can. not. bark."),
        ("", "the. big. dog. can. not. bark."),
    ],
)
def test_what_became_of_words(heard, expected):
    units = compare(text_words("The big dog can not bark."), timed(heard))
    assert " ".join((unit.expected or unit.heard) + MARKS[unit.outcome] for unit in units) == (
        expected
    )


@given(WORDS, WORDS)
def test_no_word_is_lost_or_made(text, heard):
    words = text_words(" ".join(text))
    units = compare(words, timed(" ".join(heard)))
    forms = [form for word in words for form in word.spoken]
    assert [unit.expected for unit in units if unit.word >= 0] == forms
    spoken = [form for word in text_words(" ".join(heard)) for form in word.spoken]
    assert "".join(unit.heard for unit in units) == "".join(spoken)
    starts = [unit.start for unit in units if unit.heard]
    assert starts == sorted(starts)


@given(st.lists(st.sampled_from([0.05, 0.3, 2.0, 9.0]), max_size=120))
def test_pieces_hold_all_words_once_and_fit(gaps):
    units = compare(text_words("dog " * len(gaps)), timed("dog " * len(gaps), gaps))
    length = max((unit.end for unit in units), default=0.0) + 1
    cut = pieces(units, length, 40.0)
    assert [unit for piece in cut for unit in piece.units] == units
    for piece in cut:
        assert 0 <= piece.start <= piece.end <= length
        assert piece.end - piece.start < 40.0
        for unit in piece.units:
            assert piece.start <= unit.start
            assert unit.end <= piece.end


def timed(text: str, gaps: list[float] | None = None) -> list[HeardWord]:
    """Words of a fifth of a second, with pauses before them."""
    made, now = [], 0.0
    for place, word in enumerate(text.split()):
        now += gaps[place] if gaps else 0.1
        made.append(HeardWord(text=word, start=now, end=now + 0.2))
        now += 0.2
    return made
