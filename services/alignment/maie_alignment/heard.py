"""The words that speech recognition heard, with their times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maie.common.v1 import types_pb2 as common
from maie_alignment.reading.compare import HeardWord
from maie_core.durations import seconds


def heard_words(transcripts: Sequence[common.Transcript]) -> list[HeardWord]:
    """The words of transcripts as they were heard, in the order of the transcripts.

    Args:
        transcripts: Of the chunks, in recording order.
    """
    return [
        word
        for transcript in transcripts
        for segment in transcript.segments
        for word in _words(segment)
    ]


def _words(segment: common.Segment) -> Iterator[HeardWord]:
    for word in segment.words:
        start = seconds(word.start_offset)
        yield HeardWord(text=word.word, start=start, end=max(start, seconds(word.end_offset)))
    if not segment.words:
        yield from _shared_out(segment)


def _shared_out(segment: common.Segment) -> Iterator[HeardWord]:
    """Words without times, each with its share of the segment."""
    words = segment.text.split()
    start, end = seconds(segment.start_offset), seconds(segment.end_offset)
    share = (end - start) / max(1, len(words))
    for place, word in enumerate(words):
        yield HeardWord(text=word, start=start + place * share, end=start + (place + 1) * share)
