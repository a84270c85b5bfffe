"""The words of finals and how long they are, also where a break of the audio divided one.

A word whose audio is cut has two finals, which adjoin. The same text twice is therefore no sign of
a word that was doubled; two finals that overlap, or the full length twice, are.
"""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import live_pb2 as live

WORD_MS = 400
"""The length of a word of `speech.said`, in milliseconds."""

Spoken = list[tuple[str, int]]


def spoken(finals: Iterable[live.Final], gap_ms: int = 0) -> Spoken:
    """The words of a track's finals, each with its length in milliseconds; divided ones joined.

    Args:
        finals: The finals, in their order.
        gap_ms: The most milliseconds between the parts of a divided word.
    """
    found: list[common.Segment] = []
    for final in finals:
        segment = common.Segment()
        segment.CopyFrom(final.segment)
        if found and _goes_on(found[-1], segment, gap_ms):
            found[-1].end_offset.CopyFrom(segment.end_offset)
        else:
            found.append(segment)
    return [(each.text, _milliseconds(each.start_offset, each.end_offset)) for each in found]


def whole(numbers: Iterable[int]) -> Spoken:
    """Words of `speech.said`, none lost, doubled or shortened."""
    return [(f"w{number}", WORD_MS) for number in numbers]


def _goes_on(before: common.Segment, after: common.Segment, gap_ms: int) -> bool:
    """Whether a segment is the rest of the word before it."""
    of_one = (before.track, before.channel, before.text) == (
        after.track,
        after.channel,
        after.text,
    )
    gap = after.start_offset.ToNanoseconds() - before.end_offset.ToNanoseconds()
    return of_one and 0 <= gap <= gap_ms * 1_000_000


def _milliseconds(start: Duration, end: Duration) -> int:
    return round((end.ToNanoseconds() - start.ToNanoseconds()) / 1e6)
