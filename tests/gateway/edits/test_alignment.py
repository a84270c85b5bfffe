"""The words of a corrected text get times that fit what was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_gateway.edits.alignment import TimedWord, aligned, within

pytestmark = pytest.mark.unit

WORD = st.sampled_from(["a", "the", "release", "The,", "ist", "müde", "会議", "...", "42"])
TEXT = st.lists(WORD, max_size=12)


@st.composite
def spoken(draw: st.DrawFn) -> tuple[list[TimedWord], int, int]:
    """Words in order, within a span."""
    texts = draw(TEXT)
    times = sorted(draw(st.lists(st.integers(0, 1000), min_size=2 * len(texts) + 2)))
    start, *inner, end = times[: 2 * len(texts) + 2]
    words = [
        TimedWord(text=text, start=inner[2 * index], end=inner[2 * index + 1], confidence=0.5)
        for index, text in enumerate(texts)
    ]
    return words, start, end


@given(spoken(), TEXT)
def test_words_are_in_order_and_within(
    said: tuple[list[TimedWord], int, int], texts: list[str]
) -> None:
    before, start, end = said
    words = aligned(texts, before, start, end)
    assert [word.text for word in words] == texts
    times = [start, *(time for word in words for time in (word.start, word.end)), end]
    assert times == sorted(times)


@given(spoken())
def test_a_text_that_was_not_changed_keeps_its_times(
    said: tuple[list[TimedWord], int, int],
) -> None:
    before, start, end = said
    assert aligned([word.text for word in before], before, start, end) == before


@given(spoken(), st.data())
def test_what_one_new_word_does_not_touch_keeps_its_times(
    said: tuple[list[TimedWord], int, int], data: st.DataObject
) -> None:
    before, start, end = said
    place = data.draw(st.integers(0, len(before)))
    texts = [word.text for word in before]
    words = aligned([*texts[:place], "Zebra", *texts[place:]], before, start, end)
    assert [word for word in words if word.text != "Zebra"] == before


@given(spoken(), st.integers(0, 1000), st.integers(0, 1000))
def test_words_are_moved_into_a_narrower_span(
    said: tuple[list[TimedWord], int, int], one: int, other: int
) -> None:
    before, _, _ = said
    start, end = sorted((one, other))
    words = within(before, start, end)
    times = [start, *(time for word in words for time in (word.start, word.end)), end]
    assert times == sorted(times)
    assert [word.text for word in words] == [word.text for word in before]


def said(*words: tuple[str, int, int]) -> list[TimedWord]:
    """Words with their times."""
    return [
        TimedWord(text=text, start=start, end=end, confidence=0.9) for text, start, end in words
    ]


def test_new_words_share_the_time_of_those_that_they_replace_by_length() -> None:
    before = said(("we", 0, 10), ("wreck", 20, 30), ("beach", 30, 60), ("now", 80, 90))
    words = aligned(["We", "re", "cognise", "now."], before, 0, 100)
    assert [(word.text, word.start, word.end, word.confidence) for word in words] == [
        ("We", 0, 10, 0.9),
        ("re", 20, 28, None),
        ("cognise", 28, 60, None),
        ("now.", 80, 90, 0.9),
    ]


def test_new_words_between_others_share_what_is_between_them() -> None:
    before = said(("we", 0, 10), ("now", 40, 90))
    words = aligned(["so", "we", "go", "now", "then"], before, 0, 100)
    assert [(word.start, word.end) for word in words] == [
        (0, 0),
        (0, 10),
        (10, 40),
        (40, 90),
        (90, 100),
    ]
