"""The words of segments, with times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maie.common.v1 import types_pb2 as common
from maie_gateway.edits.alignment import TimedWord, aligned


def words_of(segment: common.Segment) -> list[TimedWord]:
    """A segment's words; of one without word times, those of its text share its time."""
    if not segment.words:
        start, end = segment.start_offset.ToNanoseconds(), segment.end_offset.ToNanoseconds()
        return aligned(shown_text(segment).split(), (), start, end)
    return [
        TimedWord(
            text=word.word,
            start=word.start_offset.ToNanoseconds(),
            end=word.end_offset.ToNanoseconds(),
            confidence=word.confidence if word.HasField("confidence") else None,
        )
        for word in segment.words
    ]


def stored_words(words: Iterable[TimedWord]) -> Sequence[common.Word]:
    """Words as a segment holds them."""
    made = []
    for each in words:
        word = common.Word(word=each.text, confidence=each.confidence)
        word.start_offset.FromNanoseconds(each.start)
        word.end_offset.FromNanoseconds(each.end)
        made.append(word)
    return made


def shown_text(segment: common.Segment) -> str:
    """The text that people read: the clean one where there is one."""
    return segment.clean_text or segment.text
