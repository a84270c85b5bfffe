"""Which finals can be labelled, from the turns that replicas have given so far."""

from __future__ import annotations

import pytest

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import streaming_pb2 as streaming
from maie_core.durations import duration
from maie_core.samples import RATE
from maie_gateway.live.speakers.lane_turns import LaneTurns

pytestmark = pytest.mark.unit

# The track begins so many seconds after the session.
OFFSET = 100


def part(end: float, *turns: tuple[str, float, float]) -> streaming.StreamingTurns:
    """The turns up to a time of the track: speaker, start and end."""
    made = streaming.StreamingTurns(settled_offset=duration(end))
    for speaker, first, last in turns:
        span = common.TimeRange(start_offset=duration(first), end_offset=duration(last))
        made.turns.add(speaker=speaker, range=span)
    return made


def said(start: float, end: float) -> common.Segment:
    """A segment, by times of the track."""
    return common.Segment(
        start_offset=duration(OFFSET + start), end_offset=duration(OFFSET + end), text="So."
    )


def lane(place: float = 0) -> LaneTurns:
    turns = LaneTurns(round(place * RATE))
    turns.offset = OFFSET * 10**9
    return turns


def test_a_segment_is_labelled_once_what_is_around_it_is_known() -> None:
    turns = lane()
    turns.add(part(3.0, ("1", 0.0, 3.0)))
    assert not turns.reach(said(1, 3), None)
    assert turns.reach(said(1, 3), 3 * RATE)
    turns.add(part(4.0, ("2", 3.1, 4.0)))
    assert turns.reach(said(1, 3), None)
    assert turns.labelled(said(1, 3)).speaker == "1"
    assert turns.labelled(said(3.2, 3.4)).speaker == "2"


def test_what_a_second_replica_says_again_changes_nothing() -> None:
    turns = lane()
    turns.add(part(3.0, ("1", 0.0, 3.0)))
    turns.add(part(4.0, ("2", 2.0, 4.0)))
    assert turns.labelled(said(2, 3)).speaker == "1"
    assert turns.labelled(said(3, 4)).speaker == "2"
    turns.rename("2", "1")
    assert turns.labelled(said(3, 4)).speaker == "1"


def test_what_was_said_while_nobody_listened_is_missed() -> None:
    turns = lane(5)
    assert turns.misses(said(2, 4))
    assert not turns.misses(said(4.8, 7))
    turns.go_on_at(4 * RATE)
    assert turns.end == 5 * RATE
    turns.go_on_at(9 * RATE)
    assert turns.misses(said(6, 8))


def test_the_last_turn_is_kept_for_words_in_a_long_pause() -> None:
    turns = lane()
    assert not turns.labelled(said(0, 1)).HasField("speaker")
    turns.add(part(9.0, ("1", 0.0, 1.0), ("2", 2.0, 3.0)))
    turns.forget(8 * RATE)
    assert turns.labelled(said(0, 1)).speaker == "2"
