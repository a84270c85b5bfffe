"""Speech without text: where it is, and where words go that are found later."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_asr.engine import RecognizedSegment, RecognizedWord
from maie_asr.unread import Interval, find_unread, insert, text_places, within

pytestmark = pytest.mark.unit

TENTHS = st.integers(0, 300).map(lambda tenths: tenths / 10)
STRETCHES = st.lists(st.tuples(TENTHS, TENTHS), max_size=12).map(
    lambda pairs: [Interval(start=min(pair), end=max(pair)) for pair in pairs]
)


def interval(start: float, end: float) -> Interval:
    return Interval(start=start, end=end)


def said(text: str, start: float, end: float) -> RecognizedSegment:
    """A segment whose words last equally long."""
    parts = text.split()
    each = (end - start) / len(parts)
    words = tuple(
        RecognizedWord(
            text=part,
            start=start + each * index,
            end=start + each * (index + 1),
            confidence=0.5 + 0.1 * index,
        )
        for index, part in enumerate(parts)
    )
    return RecognizedSegment(
        text=text, start=start, end=end, language="en", words=words, confidence=0.9
    )


@pytest.mark.parametrize(
    ("ranges", "read", "unread"),
    [
        # All of it has text, but for pauses and margins.
        ([(0, 5)], [(0.4, 2), (2.9, 4.5)], []),
        # Nothing has.
        ([(0, 5), (7, 9)], [], [(0, 9)]),
        # The end, the start and the middle.
        ([(0, 5)], [(0, 2)], [(2, 5)]),
        ([(0, 5)], [(3, 5)], [(0, 3)]),
        ([(0, 10)], [(0, 2), (8, 10)], [(2, 8)]),
        # Ranges without text are one interval up to the next text.
        ([(0, 3), (4, 6), (7, 9), (12, 15)], [(0, 3), (7, 9)], [(4, 6), (12, 15)]),
        ([(0, 3), (4, 6), (7, 9)], [(0, 3)], [(4, 9)]),
        # Where nobody speaks nothing is missed, however long it is.
        ([(0, 3), (60, 63)], [(0, 3), (60, 63)], []),
        # A short rest at the end of a range does not reach into the next interval.
        ([(0, 3), (4, 6)], [(0, 2.5)], [(4, 6)]),
        # Texts that overlap.
        ([(0, 9)], [(0, 6), (1, 2), (5, 9)], []),
    ],
)
def test_speech_without_text_is_found(
    ranges: list[tuple[float, float]],
    read: list[tuple[float, float]],
    unread: list[tuple[float, float]],
) -> None:
    found = find_unread(
        [interval(*each) for each in ranges], [interval(*each) for each in read], 1.0
    )
    assert found == [interval(*each) for each in unread]


@given(STRETCHES, STRETCHES)
def test_what_is_found_is_speech_in_order_and_has_no_text(
    speech: list[Interval], read: list[Interval]
) -> None:
    ranges: list[Interval] = []
    for each in sorted(speech):
        if not ranges or each.start > ranges[-1].end:
            ranges.append(each)
    found = find_unread(ranges, read, 1.0)
    assert all(one.end <= two.start for one, two in pairwise(found))
    for each in found:
        assert each.seconds >= 1.0
        assert not any(one.start < each.end and one.end > each.start for one in read)
        assert any(one.start <= each.start < one.end for one in ranges)
    # And once all of that has text, nothing is found any more.
    assert find_unread(ranges, read + found, 1.0) == []


def test_a_word_hides_no_more_speech_than_a_word_can_last() -> None:
    segment = said("and then", 0, 20)
    assert text_places(segment, by_words=True) == [interval(0, 2), interval(10, 12)]
    assert text_places(segment, by_words=False) == [interval(0, 20)]


def test_words_with_impossible_times_may_have_been_spoken_before_or_after() -> None:
    # A model without good alignment put six words into six hundredths of a second.
    segment = said("The budget was approved last week.", 2.62, 2.68)
    places = text_places(segment, by_words=True)
    assert find_unread([interval(3.4, 5.5)], places, 1.0) == []
    assert find_unread([interval(0, 2.5)], places, 1.0) == []
    assert find_unread([interval(10, 12)], places, 1.0) == [interval(10, 12)]


def test_only_words_within_the_interval_are_taken() -> None:
    found = within(said("was it the best of times it", 0, 7), interval(1, 6))
    assert found is not None
    assert found.text == "it the best of times"
    assert (found.start, found.end) == (1, 6)
    assert found.confidence == pytest.approx(0.8)
    assert within(said("it was", 0, 2), interval(5, 6)) is None


def test_a_segment_around_an_interval_is_parted_there() -> None:
    around = said("It was the best of times, it was the worst.", 0, 10)
    found = said("That is what he said.", 5.1, 5.9)
    parts = insert([said("Before.", -2, -1), around, said("After.", 12, 13)], found)
    assert [part.text for part in parts] == [
        "Before.",
        "It was the best of times,",
        "That is what he said.",
        "it was the worst.",
        "After.",
    ]
    assert [word.text for part in parts[1:4:2] for word in part.words] == [
        word.text for word in around.words
    ]


def test_a_text_without_spaces_is_parted_between_its_words() -> None:
    words = tuple(
        RecognizedWord(text=text, start=index, end=index + 1)
        for index, text in enumerate(["会議", "は", "来週", "です。"])
    )
    around = RecognizedSegment(text="会議は来週です。", start=0, end=4, language="ja", words=words)
    first, _, second = insert([around], said("x", 1.9, 2))
    assert (first.text, second.text) == ("会議は", "来週です。")
    assert first.confidence is None
