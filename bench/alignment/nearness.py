"""How near found times are to known ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import numpy as np

from bench.alignment.spoken import TimedWord
from maie_alignment.text import spoken_forms

NEAR_MS = (20, 50, 100)


@dataclass(kw_only=True, frozen=True, slots=True)
class FoundWord:
    """A word that a product found; the beginnings of its sounds where it has them; seconds."""

    text: str
    start: float
    end: float
    sounds: tuple[float, ...] = ()


@dataclass(kw_only=True, slots=True)
class Nearness:
    """How far off a product is.

    Attributes:
        words: The words that were spoken.
        spoken_sounds: Their sounds.
        starts: For each word that it found, by its number, how late it begins, in seconds.
        ends: Likewise how late it ends.
        sounds: How late each sound begins, of words of which it has as many sounds.
    """

    words: int = 0
    spoken_sounds: int = 0
    starts: dict[int, float] = field(default_factory=dict)
    ends: dict[int, float] = field(default_factory=dict)
    sounds: list[float] = field(default_factory=list)

    def add(self, spoken: Sequence[TimedWord], found: Sequence[FoundWord]) -> None:
        """Counts one more recording."""
        for place, word in matched(spoken, found):
            known = spoken[place]
            self.starts[self.words + place] = word.start - known.start
            self.ends[self.words + place] = word.end - known.end
            if len(word.sounds) == len(known.sounds):
                self.sounds += np.subtract(word.sounds, known.sounds).tolist()
        self.words += len(spoken)
        self.spoken_sounds += sum(len(word.sounds) for word in spoken)


def matched(
    spoken: Sequence[TimedWord], found: Sequence[FoundWord]
) -> Iterator[tuple[int, FoundWord]]:
    """The words that were found as they were spoken, with their places among the spoken ones."""
    same = SequenceMatcher(
        None,
        [spoken_forms(word.text) for word in spoken],
        [spoken_forms(word.text) for word in found],
        autojunk=False,
    )
    for place, other, size in same.get_matching_blocks():
        for step in range(size):
            yield place + step, found[other + step]


def middle(errors: Sequence[float]) -> float:
    """The median error, in ms; early and late are the same."""
    return 1000 * float(np.median(np.abs(errors)))


def share_within(errors: Sequence[float], ms: float) -> float:
    """How many errors are at most so large, in hundredths."""
    return 100 * float(np.mean(np.abs(errors) <= ms / 1000))


def shifted(errors: Mapping[int, float]) -> dict[int, float]:
    """The errors where a product's times come earlier by its median lateness."""
    late = float(np.median(list(errors.values())))
    return {place: error - late for place, error in errors.items()}


def ratio(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """The median error of one product over that of another, of the words that both have."""
    both = sorted(one.keys() & other.keys())
    return middle([one[place] for place in both]) / middle([other[place] for place in both])
