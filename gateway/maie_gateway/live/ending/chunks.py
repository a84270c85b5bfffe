"""Divides the speech of a session into chunks, as preprocess divides that of a recording. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

# The part of the target by which a chunk may be shorter to end in a pause.
REACH: Final = 0.25


@dataclass(kw_only=True, frozen=True, slots=True)
class Speech:
    """Where an utterance is, in nanoseconds from the session's beginning."""

    start: int
    end: int


def chunk_sizes(speech: Sequence[Speech], target: int, most: int) -> list[int]:
    """How many utterances each chunk has.

    A chunk takes utterances as long as it stays within the target. It ends at the latest pause in
    which nobody speaks; without one in the last quarter of the target, because several people
    speak at once, it ends between the beginnings of two utterances. An utterance is never cut, so
    a chunk is at most as long as the target or its first utterance.

    Args:
        speech: The utterances of all tracks, in the order in which they begin.
        target: The length that chunks aim at, in nanoseconds; above 0.
        most: The most chunks; 1 or more. Where there would be more, they get longer.

    Returns:
        The numbers, each at least 1; empty without utterances.
    """
    sizes = _sizes(speech, target)
    while len(sizes) > most:
        target *= 2
        sizes = _sizes(speech, target)
    return sizes


def _sizes(speech: Sequence[Speech], target: int) -> list[int]:
    # Until when anybody speaks of those who began so far.
    ends = list(accumulate((each.end for each in speech), max))
    sizes: list[int] = []
    first = 0
    while first < len(speech):
        size = _size(speech, ends, first, target)
        sizes.append(size)
        first += size
    return sizes


def _size(speech: Sequence[Speech], ends: Sequence[int], first: int, target: int) -> int:
    """How many utterances the chunk has that begins with the utterance `first`."""
    start = speech[first].start
    after = first + 1
    while after < len(speech) and speech[after].end - start <= target:
        after += 1
    if after == len(speech):
        return after - first
    pauses = (place for place in range(after, first, -1) if speech[place].start > ends[place - 1])
    latest = next(pauses, after)
    is_near = ends[latest - 1] >= start + target * (1 - REACH)
    return (latest if is_near else after) - first
