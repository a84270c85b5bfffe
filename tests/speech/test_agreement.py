"""Stable text is never taken back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_speech.agreement import PartialText, StablePrefix

pytestmark = pytest.mark.unit

words = st.sampled_from(["he", "was", "not", "an", "ill", "young", "man", "man.", "他", "是"])
texts = st.lists(words, max_size=12).map(" ".join)


def fed(*readings: str) -> list[PartialText]:
    prefix = StablePrefix()
    return [prefix.feed(reading) for reading in readings]


@given(st.lists(texts, max_size=12))
def test_stable_text_only_grows(readings: list[str]) -> None:
    found = fed(*readings)
    for before, after in itertools.pairwise(found):
        assert after.stable.startswith(before.stable)


@given(st.lists(texts, max_size=6), texts)
def test_the_same_reading_twice_is_stable_but_for_its_last_word(
    readings: list[str], last: str
) -> None:
    before = fed(*readings)[-1].stable if readings else ""
    found = fed(*readings, last, last)[-1]
    if last.startswith(before) and not before:
        assert (found.stable + found.unstable).split() == last.split()


@given(st.lists(texts, min_size=1, max_size=6))
def test_words_never_run_together(readings: list[str]) -> None:
    for found in fed(*readings):
        assert set((found.stable + found.unstable).split()) <= {
            word for reading in readings for word in reading.split()
        }


def test_two_readings_agree() -> None:
    found = fed("he was", "he was not an", "he was not an ill disposed")
    assert [each.stable for each in found] == ["", "he", "he was not"]
    assert [each.unstable for each in found] == ["he was", " was not an", " an ill disposed"]


def test_a_reading_that_changes_what_is_stable_changes_the_rest_alone() -> None:
    found = fed("he was not an", "he was not an ill", "she was not an ill disposed young")[-1]
    assert found == PartialText("he was not", " an ill disposed young")


def test_a_reading_that_loses_what_is_stable_keeps_it() -> None:
    found = fed("he was not an ill", "he was not an ill", "", "young man")
    assert found[2] == PartialText("he was not an", "")
    assert found[3].stable == "he was not an"


def test_scripts_without_spaces_are_stable_by_the_character() -> None:
    found = fed("他不是坏人", "他不是坏青年")[-1]
    assert found == PartialText("他不是", "坏青年")
