"""The phrases of a reading, as they were spoken."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_formats.readings.report import span, spoken

# Speech that flows on faster than that is not cut, whatever the punctuation.
GAP_SECONDS = 0.05
# A pause as long as a listener notes ends a phrase without punctuation.
PAUSE_SECONDS = 0.5


@dataclass(kw_only=True, frozen=True, slots=True)
class Phrase:
    """A phrase.

    Attributes:
        start: When it begins, in seconds from the recording's start.
        end: When it ends.
        text: What was spoken.
        score: The score of the word that fits worst, 0 to 1; None where a word has none.
        exact: Whether all words were read as the text has them, and no others.
    """

    start: float
    end: float
    text: str
    score: float | None
    exact: bool


def phrases(reading: alignment.Reading) -> list[Phrase]:
    """The phrases in the order of time.

    One ends with its punctuation, where a gap follows, and before a long pause.
    """
    words = sorted(
        (word for word in reading.words if word.HasField("range")),
        key=lambda word: span(word.range),
    )
    return [_phrase(group) for group in _groups(words)]


def _groups(words: Sequence[alignment.ReadWord]) -> Iterator[list[alignment.ReadWord]]:
    group: list[alignment.ReadWord] = []
    for word, after in itertools.zip_longest(words, words[1:]):
        group.append(word)
        if after is None or _ends(word, span(after.range)[0] - span(word.range)[1]):
            yield group
            group = []


def _ends(word: alignment.ReadWord, gap: float) -> bool:
    return gap >= (GAP_SECONDS if word.ends_phrase else PAUSE_SECONDS)


def _phrase(group: Sequence[alignment.ReadWord]) -> Phrase:
    scored = all(word.HasField("score") for word in group)
    return Phrase(
        start=span(group[0].range)[0],
        end=max(span(word.range)[1] for word in group),
        text=" ".join(map(spoken, group)),
        score=min(word.score for word in group) if scored else None,
        exact=all(word.outcome == alignment.WORD_OUTCOME_CORRECT for word in group),
    )
