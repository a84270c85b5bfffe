"""Who speaks at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from maie.common.v1 import types_pb2 as common
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
        self._starts = np.array([seconds(turn.range.start_offset) for turn in kept])
        self._ends = np.array([seconds(turn.range.end_offset) for turn in kept])

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
        shared = np.minimum(self._ends, end) - np.maximum(self._starts, start)
        spoken: dict[str, float] = defaultdict(float)
        for place in np.flatnonzero(shared > 0):
            spoken[self._speakers[place]] += float(shared[place])
        if not spoken:
            nearest = int(np.argmax(shared))
            near = -shared[nearest] <= NEAR_SECONDS
            return Speaking(speaker=self._speakers[nearest] if near else "")
        most = max(spoken, key=lambda each: (round(spoken[each], 6), each == before))
        others = sum(length for each, length in spoken.items() if each != most)
        return Speaking(speaker=most, overlapped=others >= OVERLAP_SHARE * (end - start))

    def nearest(self, start: float, end: float) -> str:
        """Who speaks nearest to an interval, however far away; empty where nobody ever does."""
        if not self._speakers:
            return ""
        shared = np.minimum(self._ends, end) - np.maximum(self._starts, start)
        return self._speakers[int(np.argmax(shared))]


def turns_of(made: diarization.Diarization, segment: common.Segment) -> Turns:
    """The turns that a segment's words may be of: those on its channel and track."""
    lane = (segment.track, segment.channel)
    there = {each.speaker for each in made.speakers if (each.track, each.channel) == lane}
    return Turns(turn for turn in made.turns if turn.speaker in there)
