"""Finds speech without text, and inserts text that is found later. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from maie_asr.engine import SAMPLE_RATE, RecognizedSegment, RecognizedWord, SpeechRange

# The longest that a word can last, in seconds. Where an engine loses speech, the end time of the
# word before it is sometimes the start of the next.
MAX_WORD_SECONDS = 2.0
# The fastest and the usual speech, in characters a second. Where three or more words in a row are
# faster, their text is right and their times are wrong.
IMPOSSIBLE_RATE = 40.0
USUAL_RATE = 15.0
MIN_CRAMMED_WORDS = 3
# How far words that are found later may lie outside their interval, in seconds: engines' word times
# are accurate to about a tenth of a second.
TOLERANCE = 0.1


@dataclass(kw_only=True, frozen=True, slots=True, order=True)
class Interval:
    """A part of a chunk, in seconds from its start."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


def intervals(ranges: Iterable[SpeechRange]) -> list[Interval]:
    """Speech ranges in seconds."""
    return [Interval(start=span.start / SAMPLE_RATE, end=span.end / SAMPLE_RATE) for span in ranges]


def find_unread(
    ranges: Sequence[Interval], read: Iterable[Interval], min_seconds: float
) -> list[Interval]:
    """Finds speech without text.

    Args:
        ranges: The speech, in order and without overlap.
        read: The intervals that have text.
        min_seconds: Shorter speech without text is ignored: ranges have margins, and people pause
            between words.

    Returns:
        Intervals in order, each from the first to the last speech between two texts.
    """
    found: list[Interval] = []
    for start, end in _gaps(read):
        pieces = [
            Interval(start=max(start, span.start), end=min(end, span.end))
            for span in ranges
            if span.end > start and span.start < end
        ]
        long = [piece for piece in pieces if piece.seconds >= min_seconds]
        if long:
            found.append(Interval(start=long[0].start, end=long[-1].end))
    return found


def text_places(segment: RecognizedSegment, *, by_words: bool) -> list[Interval]:
    """Where the text of a segment was spoken.

    Args:
        segment: The segment.
        by_words: Whether its words' times are reliable.
    """
    if not by_words or not segment.words:
        return [Interval(start=segment.start, end=segment.end)]
    places = [
        Interval(start=word.start, end=min(word.end, word.start + MAX_WORD_SECONDS))
        for word in segment.words
    ]
    return places + _crammed(segment.words)


def within(segment: RecognizedSegment, interval: Interval) -> RecognizedSegment | None:
    """The part of a segment that was spoken in an interval; None for nothing.

    A segment without words is in the interval as a whole or not at all.
    """
    if not segment.words:
        return segment if _middle(segment.start, segment.end, interval) else None
    inside = [
        index for index, word in enumerate(segment.words) if _middle(word.start, word.end, interval)
    ]
    return _part(segment, inside[0], inside[-1] + 1) if inside else None


def insert(
    segments: Iterable[RecognizedSegment], found: RecognizedSegment
) -> list[RecognizedSegment]:
    """Inserts a segment by time, and splits one that surrounds it between two words."""
    parts: list[RecognizedSegment] = []
    for segment in segments:
        before = sum(word.start < found.start for word in segment.words)
        if 0 < before < len(segment.words):
            parts.append(_part(segment, 0, before))
            parts.append(_part(segment, before, len(segment.words)))
        else:
            parts.append(segment)
    return sorted([*parts, found], key=lambda segment: segment.start)


def _gaps(read: Iterable[Interval]) -> Iterator[tuple[float, float]]:
    """The gaps before, between and after intervals with text."""
    place = 0.0
    for each in sorted(read):
        if each.start > place:
            yield place, each.start
        place = max(place, each.end)
    yield place, math.inf


def _crammed(words: Sequence[RecognizedWord]) -> list[Interval]:
    """Where words with impossible times may have been spoken: before and after their times."""
    places = []
    for crammed, run in groupby(words, key=_is_crammed):
        group = list(run)
        if crammed and len(group) >= MIN_CRAMMED_WORDS:
            seconds = sum(len(word.text) + 1 for word in group) / USUAL_RATE
            places.append(Interval(start=group[0].start - seconds, end=group[-1].end + seconds))
    return places


def _is_crammed(word: RecognizedWord) -> bool:
    return (len(word.text) + 1) / IMPOSSIBLE_RATE > word.end - word.start


def _middle(start: float, end: float, interval: Interval) -> bool:
    return interval.start - TOLERANCE <= (start + end) / 2 <= interval.end + TOLERANCE


def _part(segment: RecognizedSegment, first: int, last: int) -> RecognizedSegment:
    """The words from `first` up to `last`, with the text that surrounds them."""
    words = segment.words[first:last]
    edges = _edges(segment)
    sure = [word.confidence for word in words if word.confidence is not None]
    return replace(
        segment,
        text=segment.text[edges[first] : edges[last]].strip(),
        start=segment.start if first == 0 else words[0].start,
        end=segment.end if last == len(segment.words) else words[-1].end,
        words=words,
        confidence=sum(sure) / len(sure) if sure else segment.confidence,
    )


def _edges(segment: RecognizedSegment) -> list[int]:
    """The start of each word in the text; characters between two words belong to the first."""
    edges, place = [], 0
    for word in segment.words:
        found = segment.text.find(word.text, place)
        edges.append(found if found >= 0 else place)
        place = edges[-1] + (len(word.text) if found >= 0 else 0)
    return [0, *edges[1:], len(segment.text)]
