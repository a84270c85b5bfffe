"""What is kept of a track until it is durable, and what is sent of it again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_gateway.live.marks import Mark
from maie_gateway.live.recognition.backlog import MOST_AUDIO, Backlog, Item

pytestmark = pytest.mark.unit


def filled(lengths: list[int], lag: int = 0) -> Backlog:
    """Messages of so many samples, each given out a little late."""
    backlog = Backlog(Mark(sequence=4, position=100, settled=100))
    held = 0
    for number, length in enumerate(lengths, start=5):
        ready = max(length + held - lag, 0)
        held = length + held - ready
        backlog.add(number, length, pcm=b"ab" * ready, arrived=float(number))
    return backlog


@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=12), st.data())
def test_a_replay_begins_where_the_first_message_that_is_not_durable_does(
    lengths: list[int], data: st.DataObject
) -> None:
    backlog = filled(lengths)
    list(backlog.unsent())
    settled = data.draw(st.integers(100, backlog.position))
    mark = backlog.next_mark(settled, 3)
    assert mark.follows(backlog.mark)
    backlog.settle(mark)
    ends = [100 + sum(lengths[:count]) for count in range(len(lengths) + 1)]
    assert mark.position == max(end for end in ends if end <= settled)
    assert backlog.begin == mark.position
    assert list(backlog.unsent()) == []
    backlog.rewind()
    again = list(backlog.unsent())
    assert sum(len(item.pcm) // 2 for item in again) == backlog.position - mark.position
    assert backlog.held == backlog.position - mark.position
    assert backlog.holds_any is (mark.position < backlog.position)


@given(st.lists(st.integers(1, 20_000), min_size=2, max_size=12), st.data())
def test_a_replay_that_has_begun_lacks_nothing_that_becomes_durable_meanwhile(
    lengths: list[int], data: st.DataObject
) -> None:
    backlog = filled(lengths)
    list(backlog.unsent())
    backlog.rewind()
    begin, sending = backlog.begin, backlog.unsent()
    sent = [next(sending)] if data.draw(st.booleans()) else []
    mark = backlog.next_mark(data.draw(st.integers(100, backlog.position)), 3)
    kept = list(backlog.until(mark))
    backlog.settle(mark)
    # What is durable by now is kept once, and no later mark goes back.
    assert backlog.next_mark(backlog.mark.settled, 0) == mark
    rest = list(backlog.until(backlog.next_mark(backlog.position, 0)))
    whole = b"".join(item.pcm for item in [*kept, *rest])
    assert whole == b"ab" * sum(lengths)
    sent += backlog.unsent()
    assert sent[0].begin == begin
    assert b"".join(item.pcm for item in sent) == b"ab" * sum(lengths)
    backlog.settle(backlog.next_mark(backlog.position, 0))
    assert (backlog.holds_any, backlog.held) == (False, 0)


@given(st.lists(st.integers(1, 16_000), min_size=1, max_size=30))
def test_small_messages_are_sent_together_and_none_is_too_long(lengths: list[int]) -> None:
    sent = list(filled(lengths).unsent())
    assert all(len(item.pcm) // 2 <= MOST_AUDIO for item in sent)
    assert b"".join(item.pcm for item in sent) == b"ab" * sum(lengths)
    places = [item.begin for item in sent]
    assert places == [100 + sum(len(i.pcm) // 2 for i in sent[:n]) for n in range(len(sent))]


def test_audio_that_is_held_back_keeps_its_message() -> None:
    backlog = filled([1000, 1000], lag=16)
    list(backlog.unsent())
    assert (backlog.position, backlog.given) == (2100, 2084)
    mark = backlog.next_mark(1084, 1)
    assert (mark.sequence, mark.position) == (4, 100)
    backlog.settle(backlog.next_mark(1100, 1))
    assert (backlog.mark.sequence, backlog.begin) == (5, 1084)


def test_silence_and_the_end_of_an_utterance_stay_in_their_places() -> None:
    backlog = Backlog(Mark())
    backlog.add(1, 10, pcm=b"ab" * 10)
    backlog.add(2, 500, silence=500)
    backlog.add(3, 10, pcm=b"cd" * 10)
    backlog.add(4, 0, finalize=True)
    backlog.add(5, 10, pcm=b"ef" * 10)

    def short(item: Item) -> tuple[bytes, int, bool]:
        return item.pcm[:2], item.silence, item.finalize

    assert [short(item) for item in backlog.unsent()] == [
        (b"ab", 500, False),
        (b"cd", 0, True),
        (b"ef", 0, False),
    ]


def test_a_place_is_as_late_as_the_message_that_holds_it() -> None:
    backlog = filled([1000, 1000])
    assert backlog.arrived(101) == backlog.arrived(1100) == 5.0
    assert backlog.arrived(1101) == 6.0
    assert backlog.arrived(2101) is None
