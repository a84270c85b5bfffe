"""Segments for tests of corrections."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import edit_pb2 as edit

SECOND = 1_000_000_000


def at(seconds: float) -> Duration:
    """An offset."""
    offset = Duration()
    offset.FromNanoseconds(round(seconds * SECOND))
    return offset


def segment(
    number: int,
    text: str,
    *,
    start: float = 0,
    channel: int = 0,
    clean: str = "",
    timed: bool = True,
) -> common.Segment:
    """A segment whose words last a second each."""
    words = text.split()
    made = common.Segment(
        segment_id=f"c0000-s{number:04d}",
        text=text,
        channel=channel,
        confidence=0.5,
        start_offset=at(start),
        end_offset=at(start + len(words)),
    )
    if clean:
        made.clean_text = clean
    for place, word in enumerate(words if timed else ()):
        made.words.add(
            word=word,
            confidence=0.5,
            start_offset=at(start + place),
            end_offset=at(start + place + 1),
        )
    return made


def correction(names: Sequence[int], *texts: str) -> edit.SegmentEdit:
    """Segments by their numbers, and the texts in their place."""
    return edit.SegmentEdit(
        segment_ids=[f"c0000-s{number:04d}" for number in names],
        segments=[edit.EditedSegment(text=text) for text in texts],
    )


def seconds(of: common.Segment) -> tuple[float, float]:
    """Where a segment begins and ends."""
    start, end = of.start_offset.ToNanoseconds(), of.end_offset.ToNanoseconds()
    return start / SECOND, end / SECOND
