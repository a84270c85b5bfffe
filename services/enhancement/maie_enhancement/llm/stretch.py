"""What is asked of a model at once: consecutive words of segments."""

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
        words: The words as they stand in its text.
        last: Whether the segment ends with them.
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
        """The words as they are compared."""
        return words_of(self.text)


Stretch = tuple[Portion, ...]
"""Portions in recording order; what a model is asked for at once."""


def portions_of(segments: Sequence[Segment]) -> Iterator[Portion]:
    """The segments in which anything is said, each as a whole."""
    for at, segment in enumerate(segments):
        if words_of(segment.text):
            yield Portion(segment=at, words=tuple(segment.text.split()), last=True)


def words_in(stretch: Iterable[Portion]) -> list[str]:
    """All words of a stretch."""
    return [word for portion in stretch for word in portion.words]


def halves(stretch: Stretch) -> tuple[Stretch, Stretch] | None:
    """A stretch in two, between segments where there are several; None for a single word."""
    if len(stretch) > 1:
        ends = list(accumulate(len(portion.words) for portion in stretch))
        at = min(range(1, len(stretch)), key=lambda at: abs(ends[at - 1] - ends[-1] / 2))
        return stretch[:at], stretch[at:]
    [portion] = stretch
    at = len(portion.words) // 2
    if not at:
        return None
    return (
        (Portion(segment=portion.segment, words=portion.words[:at], last=False),),
        (Portion(segment=portion.segment, words=portion.words[at:], last=portion.last),),
    )
