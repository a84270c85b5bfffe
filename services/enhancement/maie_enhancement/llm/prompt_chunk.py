"""Splits segments into the words of one prompt each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from maie_enhancement.engine import Segment
from maie_enhancement.guard import words_of


@dataclass(kw_only=True, frozen=True, slots=True)
class Portion:
    """Consecutive words of one segment.

    Attributes:
        segment: The segment's position in the request, from 0.
        words: The words as written in its text.
        last: Whether they are the last ones of the segment.
    """

    segment: int
    words: tuple[str, ...]
    last: bool

    @property
    def text(self) -> str:
        """The raw text."""
        return " ".join(self.words)

    @property
    def letters(self) -> list[str]:
        """The normalised words for comparison."""
        return words_of(self.text)


PromptChunk = tuple[Portion, ...]
"""The portions of one prompt, in recording order."""


def portions_of(segments: Sequence[Segment]) -> Iterator[Portion]:
    """The segments with words, each as a whole."""
    for at, segment in enumerate(segments):
        if words_of(segment.text):
            yield Portion(segment=at, words=tuple(segment.text.split()), last=True)


def words_in(chunk: Iterable[Portion]) -> list[str]:
    """All words of a chunk."""
    return [word for portion in chunk for word in portion.words]


def halves(chunk: PromptChunk) -> tuple[PromptChunk, PromptChunk] | None:
    """Splits a chunk in two, between segments if it has several; None for a single word."""
    if len(chunk) > 1:
        ends = list(accumulate(len(portion.words) for portion in chunk))
        at = min(range(1, len(chunk)), key=lambda at: abs(ends[at - 1] - ends[-1] / 2))
        return chunk[:at], chunk[at:]
    [portion] = chunk
    at = len(portion.words) // 2
    if not at:
        return None
    return (
        (Portion(segment=portion.segment, words=portion.words[:at], last=False),),
        (Portion(segment=portion.segment, words=portion.words[at:], last=portion.last),),
    )
