"""Who speaks on a lane, as far as it is known and still needed. Pure: no I/O, no clock."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.diarization.v1 import streaming_pb2 as streaming
from maie_core.samples import RATE, SAMPLE_NANOSECONDS, nanoseconds, samples
from maie_core.speaking import NEAR_SECONDS, Turns, label_segment

# A word may be a little outside of a turn.
NEAR = round(NEAR_SECONDS * RATE)


class LaneTurns:
    """The turns of the speakers of a lane. Places are in samples of the track.

    Args:
        place: Where the lane goes on.

    Attributes:
        start: From where on the turns are known without a gap.
        end: Up to where they are known.
        offset: Where the track begins, in nanoseconds from the session's beginning.
    """

    def __init__(self, place: int) -> None:
        self.start = self.end = place
        self.offset = 0
        self._turns: list[diarization.SpeakerTurn] = []

    def go_on_at(self, place: int) -> None:
        """Says that the next turns begin at a place; what is before it, and unknown, stays so."""
        if place > self.end:
            self.start = self.end = place

    def add(self, turns: streaming.StreamingTurns) -> None:
        """Takes the turns of the next part; those of times that had theirs are left out."""
        for turn in turns.turns:
            begin = max(self.end, samples(turn.range.start_offset))
            end = samples(turn.range.end_offset)
            if begin < end:
                span = common.TimeRange(start_offset=self._time(begin), end_offset=self._time(end))
                self._turns.append(diarization.SpeakerTurn(range=span, speaker=turn.speaker))
        self.end = max(self.end, samples(turns.settled_offset))

    def rename(self, old: str, new: str) -> None:
        """Gives the turns of a speaker to another one."""
        for turn in self._turns:
            if turn.speaker == old:
                turn.speaker = new

    def misses(self, segment: common.Segment) -> bool:
        """Whether a segment begins where nothing is known any more."""
        return self.place(segment.start_offset) + NEAR < self.start

    def reach(self, segment: common.Segment, last: int | None) -> bool:
        """Whether the turns are known up to the end of a segment, and a little after it.

        Args:
            segment: The segment.
            last: Where the lane ends; None where it goes on.
        """
        needed = self.place(segment.end_offset) + NEAR
        return self.end >= (needed if last is None else min(needed, last))

    def labelled(self, segment: common.Segment) -> common.Segment:
        """A segment with the numbers of its speakers; without any where nobody has spoken yet."""
        made = common.Segment()
        made.CopyFrom(segment)
        label_segment(made, Turns(self._turns))
        return made

    def forget(self, place: int) -> None:
        """Drops the turns that end before a place, but for the last one."""
        needed = self._time(max(0, place - NEAR)).ToNanoseconds()
        later = [each for each in self._turns if each.range.end_offset.ToNanoseconds() >= needed]
        self._turns = later or self._turns[-1:]

    def place(self, offset: Duration) -> int:
        """A time of the session as a place."""
        return (offset.ToNanoseconds() - self.offset) // SAMPLE_NANOSECONDS

    def _time(self, place: int) -> Duration:
        """A place as a time of the session."""
        return nanoseconds(place * SAMPLE_NANOSECONDS + self.offset)
