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
        speaker, overlapped = _speaker(segment), _overlapped(segment)
        return [
            replace(word, speaker=speaker, overlapped=overlapped)
            for word in aligned(shown_text(segment).split(), (), start, end)
        ]
    return [
        TimedWord(
            text=word.word,
            start=word.start_offset.ToNanoseconds(),
            end=word.end_offset.ToNanoseconds(),
            confidence=word.confidence if word.HasField("confidence") else None,
            speaker=word.speaker if word.HasField("speaker") else _speaker(segment),
            overlapped=_overlapped(word),
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


def said_by(speaker: str, words: Iterable[TimedWord]) -> list[TimedWord]:
    """The same words as a speaker says them."""
    return [replace(word, speaker=speaker) for word in words]


def speaker_of(words: Iterable[TimedWord]) -> str | None:
    """Who says the most of the words, the first of several; None where nobody is known."""
    counts = Counter(word.speaker for word in words if word.speaker)
    return counts.most_common(1)[0][0] if counts else None


def _speaker(segment: common.Segment) -> str | None:
    return segment.speaker if segment.HasField("speaker") else None


def _overlapped(of: common.Segment | common.Word) -> bool | None:
    return of.overlapped if of.HasField("overlapped") else None


def shown_text(segment: common.Segment) -> str:
    """The text that people read: the clean one where there is one."""
    return segment.clean_text or segment.text
