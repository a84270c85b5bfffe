"""Where the speech of a session is divided into chunks."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_gateway.live.ending.chunks import REACH, Speech, chunk_sizes

pytestmark = pytest.mark.unit

ANY_NUMBER = 10_000


def sizes(*spans: tuple[int, int], target: int = 100, most: int = ANY_NUMBER) -> list[int]:
    return chunk_sizes([Speech(start=start, end=end) for start, end in spans], target, most)


def test_a_session_without_speech_has_no_chunk() -> None:
    assert sizes() == []


def test_one_utterance_is_one_chunk_however_long_it_is() -> None:
    assert sizes((0, 1)) == [1]
    assert sizes((0, 5000)) == [1]


def test_speech_exactly_as_long_as_the_target_is_one_chunk() -> None:
    assert sizes((7, 50), (60, 107)) == [2]
    assert sizes((7, 50), (60, 108)) == [1, 1]


def test_a_chunk_counts_from_its_first_speech_not_from_the_last_pause() -> None:
    assert sizes((0, 90), (1000, 1050), (1060, 1100), (1101, 1102)) == [1, 2, 1]


def test_an_utterance_longer_than_the_target_is_a_chunk_of_its_own() -> None:
    assert sizes((0, 10), (20, 190), (200, 210)) == [1, 1, 1]


def test_a_chunk_ends_at_the_latest_pause_of_its_last_quarter() -> None:
    # An utterance was divided at 90 and at 95: nobody pauses there.
    assert sizes((0, 60), (61, 80), (82, 90), (90, 95), (95, 120)) == [2, 3]
    # Without a pause after 75, the chunk ends where the utterance was divided.
    assert sizes((0, 60), (61, 90), (90, 95), (95, 120)) == [3, 1]


def test_nobody_speaks_across_the_end_of_a_chunk() -> None:
    # One pauses from 92 to 94, but the other speaks from 80 to 99.
    assert sizes((0, 78), (80, 99), (81, 92), (94, 104), (106, 120)) == [1, 4]
    # Without the other, that is where the chunk ends.
    assert sizes((0, 78), (81, 92), (94, 104), (106, 120)) == [2, 2]


def test_where_all_speak_at_once_the_chunk_ends_between_two_beginnings() -> None:
    spans = [(0, 30), (20, 60), (50, 90), (85, 99), (95, 130), (120, 160)]
    assert sizes(*spans) == [4, 2]


def test_one_who_still_speaks_from_the_chunk_before_is_no_pause() -> None:
    # The second chunk begins at 90 while the first utterance goes on until 178.
    spans = [(0, 178), (90, 120), (130, 165), (170, 176), (180, 189), (189, 200)]
    assert sizes(*spans) == [1, 3, 2]


def test_a_session_of_too_many_chunks_has_longer_ones() -> None:
    speech = [(place, place + 60) for place in range(0, 1000, 100)]
    assert sizes(*speech) == [1] * 10
    assert sizes(*speech, most=10) == [1] * 10
    assert sizes(*speech, most=9) == [2] * 5
    assert sizes(*speech, most=1) == [10]


@st.composite
def meetings(draw: st.DrawFn) -> list[Speech]:
    """What several people say, each one utterance after the other."""
    speech: list[Speech] = []
    for _ in range(draw(st.integers(1, 3))):
        end = 0
        for pause, length in draw(
            st.lists(st.tuples(st.integers(0, 60), st.integers(1, 50)), max_size=30)
        ):
            start = end + pause
            end = start + length
            speech.append(Speech(start=start, end=end))
    return sorted(speech, key=lambda each: each.start)


@given(meetings(), st.integers(1, 300), st.integers(1, 40))
def test_every_utterance_is_in_one_chunk_that_ends_in_a_pause_where_there_is_one(
    speech: list[Speech], target: int, most: int
) -> None:
    made = chunk_sizes(speech, target, most)
    assert sum(made) == len(speech)
    assert all(size >= 1 for size in made)
    assert len(made) <= most
    if len(chunk_sizes(speech, target, ANY_NUMBER)) > most:
        return
    ends = list(accumulate((each.end for each in speech), max))
    for first, after in zip(accumulate([0, *made]), accumulate(made), strict=False):
        start, length = speech[first].start, speech[first].end - speech[first].start
        assert max(each.end for each in speech[first:after]) - start <= max(target, length)
        if after < len(speech) and speech[after].start <= ends[after - 1]:
            # Somebody speaks there: the next utterance is too much, and no pause is near.
            assert speech[after].end - start > target
            for place in range(first + 1, after):
                is_pause = speech[place].start > ends[place - 1]
                assert not is_pause or ends[place - 1] - start < target * (1 - REACH)
