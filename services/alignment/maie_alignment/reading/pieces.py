"""Cuts a long recording between words into pieces that an engine takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maie_alignment.reading.compare import Unit

# Audio before the first and after the last word of a stretch of speech, in seconds: recognisers
# are late by as much.
EDGE_SECONDS = 0.8
# A pause after which the audio between is not looked at.
LONG_PAUSE_SECONDS = 4.0
# The share of what an engine takes that a piece has at most before its cut.
FULL = 0.7


@dataclass(kw_only=True, frozen=True, slots=True)
class Piece:
    """Units that are spoken in one stretch of audio.

    Attributes:
        units: The units.
        start: Where the stretch begins, in seconds from the recording's start.
        end: Where it ends.
    """

    units: tuple[Unit, ...]
    start: float
    end: float


def pieces(units: Sequence[Unit], length: float, longest: float) -> list[Piece]:
    """Cuts where the longest pause between two heard words is, well before a piece is full.

    Args:
        units: All units of a recording.
        length: The recording's length, in seconds.
        longest: What an engine takes, in seconds.
    """
    return list(_pieces(units, length, longest))


def _pieces(units: Sequence[Unit], length: float, longest: float) -> Iterator[Piece]:
    heard = [place for place, unit in enumerate(units) if unit.heard]
    begin, start = 0, 0.0
    while begin < len(units):
        inside = [place for place in heard if place >= begin]
        cut = _cut(units, inside, longest)
        last = units[inside[cut]] if inside else None
        first = units[inside[0]] if inside else None
        after = units[inside[cut + 1]] if cut + 1 < len(inside) else None
        stop = inside[cut] + 1 if after else len(units)
        end = length
        if last and after:
            middle = (last.end + after.start) / 2
            far = after.start - last.end > LONG_PAUSE_SECONDS
            end = last.end + EDGE_SECONDS if far else max(middle, last.start)
        elif last:
            end = min(length, last.end + EDGE_SECONDS)
        if first:
            start = max(start, first.start - EDGE_SECONDS)
        yield Piece(units=tuple(units[begin:stop]), start=start, end=min(end, length))
        begin, start = stop, min(end, length)


def _cut(units: Sequence[Unit], inside: Sequence[int], longest: float) -> int:
    """The last heard unit of the piece, by its place among the heard ones."""
    if not inside:
        return 0
    origin, best, cut = units[inside[0]].start, -1.0, len(inside) - 1
    for place in range(len(inside) - 1):
        pause = units[inside[place + 1]].start - units[inside[place]].end
        if pause > LONG_PAUSE_SECONDS:
            return place
        if units[inside[place + 1]].end - origin > longest * FULL:
            return cut if best >= 0 else place
        # Later pauses make longer pieces, in which words are surer.
        if pause >= best * 0.9:
            best, cut = pause, place
    return len(inside) - 1
