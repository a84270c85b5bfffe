"""Where corrected segments begin and end."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.duration_pb2 import Duration

from maie.edit.v1 import edit_pb2 as edit
from maie_gateway.edits.alignment import TimedWord
from maie_gateway.edits.checks import edit_invalid

Span = tuple[int, int]
"""A beginning and an end, in nanoseconds of the recording."""


def boundaries(
    segments: Sequence[edit.EditedSegment],
    words: Sequence[Sequence[TimedWord]],
    whole: Span,
    field: str,
) -> list[Span]:
    """The times of segments that are in place of others, as they are given or as the words say.

    Args:
        segments: The segments in recording order.
        words: The words of each, at least one.
        whole: The time of the segments that they replace.
        field: The field that holds the segments, for errors.

    Returns:
        A span for each, in order, without overlaps, within the whole time.

    Raises:
        StageError: INVALID_ARGUMENT with EDIT_INVALID: a given time is beyond the whole, or not
            after the one before.
    """
    spans: list[Span] = []
    earliest, latest = whole
    for index, segment in enumerate(segments):
        start = words[index][0].start if index else earliest
        if segment.HasField("start_offset"):
            start = _given(
                segment.start_offset, (earliest, latest), f"{field}[{index}].start_offset"
            )
        start = max(start, earliest)
        limit = _next_start(segments, index, latest)
        stop = words[index][-1].end if index + 1 < len(segments) else limit
        stop = max(start, min(stop, limit))
        if segment.HasField("end_offset"):
            stop = _given(segment.end_offset, (start + 1, latest), f"{field}[{index}].end_offset")
        spans.append((start, stop))
        earliest = stop
    return spans


def _next_start(segments: Sequence[edit.EditedSegment], index: int, latest: int) -> int:
    """Where the next segment begins, if that is given; else the end of all."""
    following = segments[index + 1] if index + 1 < len(segments) else None
    if following is None or not following.HasField("start_offset"):
        return latest
    return min(_nanoseconds(following.start_offset), latest)


def _given(offset: Duration, within: Span, field: str) -> int:
    found = _nanoseconds(offset)
    if not within[0] <= found <= within[1]:
        raise edit_invalid(
            field,
            "A corrected segment lies within those that it replaces, after the one before it, and "
            "ends after it begins; correct its neighbours, too, to move their boundary.",
        )
    return found


def _nanoseconds(offset: Duration) -> int:
    return offset.seconds * 1_000_000_000 + offset.nanos
