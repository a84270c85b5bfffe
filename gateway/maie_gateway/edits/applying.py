"""Applies corrections to the segments of a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import edit_pb2 as edit
from maie_gateway.edits.alignment import TimedWord, aligned, within
from maie_gateway.edits.boundaries import Span, boundaries
from maie_gateway.edits.checks import check_edits, one_line
from maie_gateway.edits.segment_words import (
    said_by,
    shown_text,
    speaker_of,
    stored_words,
    words_of,
)
from maie_gateway.edits.speakers import check_speakers

# Between the id of the segment that was split and the number of the revision that split it.
NEW = "-r"


def apply_edits(
    base: Sequence[common.Segment],
    edits: Sequence[edit.SegmentEdit],
    revision: int,
    made: Sequence[common.Segment] = (),
) -> list[common.Segment]:
    """The segments after corrections, in recording order.

    Args:
        base: The segments that are corrected, in recording order.
        edits: The corrections.
        revision: The number of the new revision, for the ids of new segments.
        made: The segments of revision 0, whose speakers may speak in any revision.

    Raises:
        StageError: INVALID_ARGUMENT with EDIT_INVALID.
    """
    check_edits(base, edits)
    check_speakers([*made, *base], edits)
    old = {segment.segment_id: segment for segment in base}
    numbers = count(1)
    after: dict[str, list[common.Segment]] = {}
    for index, each in enumerate(edits):
        after |= {name: [] for name in each.segment_ids}
        replaced = [old[name] for name in each.segment_ids]
        place = made_from(each.segment_ids[0])
        names = (f"{place}{NEW}{revision}.{number}" for number in numbers)
        field = f"edits[{index}].segments"
        after[each.segment_ids[0]] = _in_place(replaced, each.segments, names, field)
    segments = [new for each in base for new in after.get(each.segment_id, [each])]
    # Those of several channels are interleaved by time.
    return sorted(segments, key=lambda segment: segment.start_offset.ToNanoseconds())


def made_from(segment_id: str) -> str:
    """The id of the segment of revision 0 that a segment stands in the place of."""
    return segment_id.partition(NEW)[0]


def changed_segments(before: Iterable[common.Segment], after: Sequence[common.Segment]) -> int:
    """How many segments are new or differ, and how many of those before are gone."""
    old = {segment.segment_id: segment for segment in before}
    differing = sum(old.get(segment.segment_id) != segment for segment in after)
    return differing + len(old.keys() - {segment.segment_id for segment in after})


def _in_place(
    replaced: Sequence[common.Segment],
    segments: Sequence[edit.EditedSegment],
    names: Iterator[str],
    field: str,
) -> list[common.Segment]:
    """The segments in place of others. The first keeps the id of the first."""
    whole = (
        min(segment.start_offset.ToNanoseconds() for segment in replaced),
        max(segment.end_offset.ToNanoseconds() for segment in replaced),
    )
    words = _words(replaced, segments, whole)
    spans = boundaries(segments, words, whole, field)
    made = []
    for index, each in enumerate(segments):
        new = _segment(replaced, each, words[index], spans[index])
        if index:
            new.segment_id = next(names)
        made.append(new)
    return made


def _words(
    replaced: Sequence[common.Segment], segments: Sequence[edit.EditedSegment], whole: Span
) -> list[list[TimedWord]]:
    """The words of each corrected segment."""
    texts = [each.text.split() for each in segments]
    before = [word for segment in replaced for word in words_of(segment)]
    words = iter(aligned([text for part in texts for text in part], before, *whole))
    return [[next(words) for _ in part] for part in texts]


def _segment(
    replaced: Sequence[common.Segment],
    wanted: edit.EditedSegment,
    words: Sequence[TimedWord],
    span: Span,
) -> common.Segment:
    first, text = replaced[0], one_line(wanted.text)
    made = common.Segment()
    made.CopyFrom(first)
    is_same = len(replaced) == 1 and text == one_line(shown_text(first))
    if is_same:
        words = words_of(first)  # of the recogniser's own text
    else:
        made.text = text
        made.ClearField("confidence")
        if first.HasField("clean_text"):
            made.clean_text = text
    if wanted.HasField("speaker"):
        words = said_by(wanted.speaker, words)
    if speaker := speaker_of(words):
        made.speaker = speaker
    if any(segment.HasField("overlapped") for segment in replaced):
        made.overlapped = any(word.overlapped for word in words)
    made.start_offset.FromNanoseconds(span[0])
    made.end_offset.FromNanoseconds(span[1])
    made.ClearField("words")
    if any(segment.words for segment in replaced):
        made.words.extend(stored_words(within(words, *span)))
    return made
