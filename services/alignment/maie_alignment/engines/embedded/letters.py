"""Which letters of a word stand for which of its phones, and how unknown words are spoken.

Both use `letter_sounds.json`, which `tools/letter_sounds.py` learns from the dictionary.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import inf
from typing import Any

Chunk = tuple[str, ...]
"""The phones of one letter: none, one or two."""

MAX_CHUNK = 2
# Costs are negative logarithms of probabilities; a sound that the dictionary never has for a letter
# is possible all the same, in words of other languages.
UNSEEN = 12.0
SILENT_UNSEEN = 8.0
# The neighbours of a letter, nearest first, in the order in which the rules ask for them.
CONTEXT = (1, -1, 2, -2, 3, -3, 4)
EDGE = "#"
_READING = threading.Lock()


@dataclass(kw_only=True, frozen=True, slots=True)
class LetterSounds:
    """What the dictionary says of letters.

    Attributes:
        costs: For each letter, the cost of each chunk, by its phones with a space between.
        rules: For each letter, a tree: `[chunk, {neighbour: tree}]`. The deepest node that
            the neighbours lead to says how the letter is spoken.
    """

    costs: Mapping[str, Mapping[str, float]]
    rules: Mapping[str, list[Any]]


def letter_sounds() -> LetterSounds:
    """What comes with the package; read once, whoever asks first."""
    with _READING:
        return _read()


@cache
def _read() -> LetterSounds:
    data = json.loads(files(__package__).joinpath("letter_sounds.json").read_text("utf-8"))
    return LetterSounds(costs=data["costs"], rules=data["rules"])


def split_phones(
    letters: str, phones: Sequence[str], costs: Mapping[str, Mapping[str, float]]
) -> list[Chunk]:
    """Gives each letter its phones: the cheapest way to share them out, in order.

    Args:
        letters: The word, in lower case.
        phones: Its phones; where there are more than two for each letter, as in words that are
            spelt, the last letter takes what is left.
        costs: What each letter costs with each chunk.

    Returns:
        A chunk for each letter; empty for a silent one.
    """
    rows, columns = len(letters), len(phones)
    best = [[inf] * (columns + 1) for _ in range(rows + 1)]
    taken = [[0] * (columns + 1) for _ in range(rows + 1)]
    best[0][0] = 0.0
    for row, letter in enumerate(letters, start=1):
        sounds = costs.get(letter, {})
        for column in range(columns + 1):
            for size in range(min(MAX_CHUNK, column) + 1):
                before = best[row - 1][column - size]
                if before == inf:
                    continue
                unseen = UNSEEN * size if size else SILENT_UNSEEN
                cost = before + sounds.get(" ".join(phones[column - size : column]), unseen)
                if cost < best[row][column]:
                    best[row][column], taken[row][column] = cost, size
    end = max(column for column in range(columns + 1) if best[rows][column] < inf)
    sizes = []
    for row in range(rows, 0, -1):
        sizes.append(taken[row][end])
        end -= sizes[-1]
    chunks, place = [], 0
    for size in reversed(sizes):
        chunks.append(tuple(phones[place : place + size]))
        place += size
    if place < columns and chunks:
        chunks[-1] += tuple(phones[place:])
    return chunks


def pronounce(word: str, sounds: LetterSounds) -> list[str]:
    """Guesses how a word is spoken, letter by letter; empty where it has no letters.

    Args:
        word: The word, in lower case. Characters other than a to z and the apostrophe
            are left out.
        sounds: What the dictionary says of letters.
    """
    letters = [each for each in word if each in sounds.rules]
    phones: list[str] = []
    for place, letter in enumerate(letters):
        phones += _rule(letters, place, sounds.rules[letter]).split()
    return phones


def neighbour(letters: Sequence[str], place: int, offset: int) -> str:
    """The letter beside another, or the mark of the word's edge."""
    other = place + offset
    return letters[other] if 0 <= other < len(letters) else EDGE


def _rule(letters: Sequence[str], place: int, tree: list[Any]) -> str:
    for offset in CONTEXT:
        branch = tree[1].get(neighbour(letters, place, offset)) if len(tree) > 1 else None
        if branch is None:
            break
        tree = branch
    return str(tree[0])
