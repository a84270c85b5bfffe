"""Fillers, such as "um", as other ways through a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

# As the dictionary has them.
FILLERS = ("um", "uh")
# How likely each way is, beside going on. Fillers are rarer, but the search takes a way only where
# the audio asks for it, and who asks looks at the scores.
WAY = 1e-4
# What the search adds to a word that it has in several pronunciations, and the marks of what is no
# word: silence, noise, a way without a word.
VARIANT = "("
MARKS = ("<", "[", "+", "(")

Path = tuple[int, int, float] | tuple[int, int, float, str]
"""From a state to another, how likely, and the word that is spoken; without it, none is."""


class SpokenFiller(NamedTuple):
    """A filler that is spoken before a word, by that one's number."""

    place: int
    word: str


def paths(words: Sequence[str]) -> list[Path]:
    """All ways: the words, and after each of them a filler, or back before it.

    A word that is said twice would be taken for a filler otherwise.
    """
    forward = [(place, place + 1, 1.0, word) for place, word in enumerate(words)]
    back = [(place + 1, place, WAY) for place in range(len(words))]
    fillers = [(place, place, WAY, each) for place in range(len(words) + 1) for each in FILLERS]
    return [*forward, *back, *fillers]


def fillers_of(words: Sequence[str], said: Sequence[str]) -> list[SpokenFiller]:
    """The fillers that were said beside the words.

    Args:
        words: The words.
        said: All of them, in order, with what else was said between, as the search names it.
    """
    spoken = [each.split(VARIANT)[0] for each in said if each and not each.startswith(MARKS)]
    return [
        SpokenFiller(place=block.src_start, word=spoken[number])
        for block in Levenshtein.opcodes(list(words), spoken)
        if block.tag == "insert"
        for number in range(block.dest_start, block.dest_end)
        if spoken[number] in FILLERS
    ]
