"""The stored form of a revision: runs of segments as they were made, and corrected ones.

A transcript of hours is large, and a correction changes little of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import stored_pb2 as stored


def to_pieces(
    segments: Sequence[common.Segment], made: Sequence[common.Segment]
) -> stored.EditedTranscript:
    """A revision as it is stored.

    Args:
        segments: Its segments in recording order.
        made: The segments of revision 0, each with an id of its own.
    """
    places = {segment.segment_id: place for place, segment in enumerate(made)}
    transcript, following = stored.EditedTranscript(), -1
    for segment in segments:
        place = places.get(segment.segment_id, -1)
        if place < 0 or made[place] != segment:
            transcript.pieces.add().edited.CopyFrom(segment)
            following = -1
        elif place == following:
            transcript.pieces[-1].made.count += 1
            following += 1
        else:
            run = stored.SegmentRun(first_segment_id=segment.segment_id, count=1)
            transcript.pieces.add(made=run)
            following = place + 1
    return transcript


def from_pieces(
    transcript: stored.EditedTranscript, made: Sequence[common.Segment]
) -> list[common.Segment]:
    """The segments of a stored revision, in recording order.

    Args:
        transcript: The revision.
        made: The segments of revision 0.

    Raises:
        KeyError: A segment that the revision names is not among them.
    """
    places = {segment.segment_id: place for place, segment in enumerate(made)}
    return [segment for piece in transcript.pieces for segment in _segments(piece, made, places)]


def _segments(
    piece: stored.EditedPiece, made: Sequence[common.Segment], places: Mapping[str, int]
) -> Iterator[common.Segment]:
    if piece.HasField("edited"):
        yield piece.edited
        return
    first = places[piece.made.first_segment_id]
    yield from made[first : first + piece.made.count]
