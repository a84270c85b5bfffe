"""The words of segments, with times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from maie.common.v1 import types_pb2 as common
from maie_gateway.edits.alignment import TimedWord, aligned


def words_of(segment: common.Segment) -> list[TimedWord]:
    """A segment's words; of one without word times, those of its text share its time."""
    if not segment.words:
        start, end = segment.start_offset.ToNanoseconds(), segment.end_offset.ToNanoseconds()
        words = aligned(shown_text(segment).split(), (), start, end)
        return said_by(_speaker(segment), words, overlapped=segment.overlapped)
    return [
        TimedWord(
            text=word.word,
            start=word.start_offset.ToNanoseconds(),
            end=word.end_offset.ToNanoseconds(),
            confidence=word.confidence if word.HasField("confidence") else None,
            speaker=word.speaker if word.HasField("speaker") else _speaker(segment),
            overlapped=word.overlapped,
        )
        for word in segment.words
    ]


def stored_words(words: Iterable[TimedWord]) -> Sequence[common.Word]:
    """Words as a segment holds them."""
    made = []
    for each in words:
        word = common.Word(
            word=each.text,
            confidence=each.confidence,
            speaker=each.speaker,
            overlapped=each.overlapped,
        )
        word.start_offset.FromNanoseconds(each.start)
        word.end_offset.FromNanoseconds(each.end)
        made.append(word)
    return made


def said_by(
    speaker: str | None, words: Iterable[TimedWord], *, overlapped: bool | None = None
) -> list[TimedWord]:
    """The same words as a speaker says them; `overlapped` as it was where it is None."""
    return [
        replace(
            word,
            speaker=speaker,
            overlapped=word.overlapped if overlapped is None else overlapped,
        )
        for word in words
    ]


def speaker_of(words: Iterable[TimedWord]) -> str | None:
    """Who says the most of the words, the first of several; None where nobody is known."""
    counts = Counter(word.speaker for word in words if word.speaker)
    return counts.most_common(1)[0][0] if counts else None


def _speaker(segment: common.Segment) -> str | None:
    return segment.speaker if segment.HasField("speaker") else None


def shown_text(segment: common.Segment) -> str:
    """The text that people read: the clean one where there is one."""
    return segment.clean_text or segment.text
