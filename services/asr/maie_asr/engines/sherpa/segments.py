"""Segments of a chunk, from the reading of a window of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from maie_asr.engine import SAMPLE_RATE, RecognizedSegment, RecognizedWord, SpeechRange
from maie_asr.engines.sherpa.words import PlacedWord


def segments(
    text: str,
    words: Sequence[PlacedWord],
    window: Sequence[SpeechRange],
    language: str,
    *,
    word_times: bool,
) -> Iterator[RecognizedSegment]:
    """A segment for each range of speech in which words begin; one for all where none have times.

    Args:
        text: The text of the window.
        words: Its words, with times from the window's start.
        window: The speech in the window, in samples of the chunk.
        language: The language that was spoken.
        word_times: Whether the segments have words.
    """
    offset = window[0].start / SAMPLE_RATE
    if not words:
        yield RecognizedSegment(
            text=text, start=offset, end=window[-1].end / SAMPLE_RATE, language=language
        )
        return
    for span, inside in _by_range(words, window, offset):
        timed = tuple(
            RecognizedWord(
                text=text[word.first : word.last],
                start=offset + word.start,
                end=offset + word.end,
                confidence=word.confidence,
            )
            for word in inside
        )
        yield RecognizedSegment(
            text=text[inside[0].first : inside[-1].last],
            start=min(span.start / SAMPLE_RATE, timed[0].start),
            end=max(span.end / SAMPLE_RATE, timed[-1].end),
            language=language,
            words=timed if word_times else (),
            confidence=_mean([word.confidence for word in inside]),
        )


def _by_range(
    words: Sequence[PlacedWord], window: Sequence[SpeechRange], offset: float
) -> Iterator[tuple[SpeechRange, Sequence[PlacedWord]]]:
    """The ranges with the words that begin in them, or nearer to them than to another."""
    borders = [
        (one.end + other.start) / 2 / SAMPLE_RATE - offset for one, other in pairwise(window)
    ]
    first = 0
    for span, border in zip(window, [*borders, float("inf")], strict=True):
        last = first
        while last < len(words) and words[last].start < border:
            last += 1
        if last > first:
            yield span, words[first:last]
        first = last


def _mean(confidences: Sequence[float | None]) -> float | None:
    known = [each for each in confidences if each is not None]
    return sum(known) / len(known) if known else None
