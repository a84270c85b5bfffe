"""Who speaks at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from maie.diarization.v1 import diarization_pb2 as diarization
from maie_core.durations import seconds

# A word that begins or ends a little outside of a turn is the turn's: VAD, ASR and diarization
# put the edges of speech at slightly different times.
NEAR_SECONDS = 0.5
# Somebody else speaks during a word if it is for at least this share of it.
OVERLAP_SHARE = 0.5
# Some engines give words without a length.
_LEAST_SECONDS = 0.01


@dataclass(kw_only=True, frozen=True, slots=True)
class Speaking:
    """Who speaks at a time.

    Attributes:
        speaker: The speaker; empty where nobody speaks within half a second.
        overlapped: Whether somebody else speaks, too.
    """

    speaker: str = ""
    overlapped: bool = False


class Turns:
    """The turns of the speakers that share a channel.

    Args:
        turns: The turns, in the order of their beginning; some may overlap.
    """

    def __init__(self, turns: Iterable[diarization.SpeakerTurn]) -> None:
        kept = list(turns)
        self._speakers = [turn.speaker for turn in kept]
        self._starts = [seconds(turn.range.start_offset) for turn in kept]
        self._ends = [seconds(turn.range.end_offset) for turn in kept]
        # Of each turn and those before it, the first one that ends last.
        self._latest = list(accumulate(range(len(kept)), self._later))

    def during(self, start: float, end: float, before: str = "") -> Speaking:
        """Who speaks most in an interval, or else nearest to it.

        Args:
            start: Where it begins, in seconds from the recording's start.
            end: Where it ends, likewise.
            before: Who spoke before it, and goes on where others speak as much in it.
        """
        if not self._speakers:
            return Speaking()
        end = max(end, start + _LEAST_SECONDS)
        spoken: dict[str, float] = defaultdict(float)
        for place in self._overlapping(start, end):
            spoken[self._speakers[place]] += self._shared(place, start, end)
        if not spoken:
            nearest = self._nearest(start, end)
            near = -self._shared(nearest, start, end) <= NEAR_SECONDS
            return Speaking(speaker=self._speakers[nearest] if near else "")
        most = max(spoken, key=lambda each: (round(spoken[each], 6), each == before))
        others = sum(length for each, length in spoken.items() if each != most)
        return Speaking(speaker=most, overlapped=others >= OVERLAP_SHARE * (end - start))

    def nearest(self, start: float, end: float) -> str:
        """Who speaks nearest to an interval, however far away; empty where nobody ever does."""
        return self._speakers[self._nearest(start, end)] if self._speakers else ""

    def _overlapping(self, start: float, end: float) -> Iterator[int]:
        """The turns that share time with an interval, in their order."""
        last = bisect_left(self._starts, end)
        first = last
        while first and self._ends[self._latest[first - 1]] > start:
            first -= 1
        return (place for place in range(first, last) if self._ends[place] > start)

    def _nearest(self, start: float, end: float) -> int:
        """The turn that shares most with an interval, or else has the shortest gap to it."""
        overlapping = list(self._overlapping(start, end))
        after = bisect_left(self._starts, end)
        around = [self._latest[after - 1]] if after else []
        around += [after] if after < len(self._starts) else []
        return max(overlapping or around, key=lambda place: self._shared(place, start, end))

    def _shared(self, place: int, start: float, end: float) -> float:
        """How long a turn and an interval share, in seconds; negative is the gap between them."""
        return min(self._ends[place], end) - max(self._starts[place], start)

    def _later(self, before: int, place: int) -> int:
        return place if self._ends[place] > self._ends[before] else before
