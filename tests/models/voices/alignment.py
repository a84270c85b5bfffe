"""Where words lie in speech whose phones are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tests.models.voices.flite import PAUSE, Phone

Span = tuple[float, float]


def align(words: Sequence[Sequence[str]], phones: Sequence[Phone]) -> list[Span]:
    """Finds words in speech by the fewest changes from their own phones to the spoken ones.

    In a sentence words are said a little differently from how they are said alone.

    Args:
        words: Each word's phones, as it is said alone.
        phones: The spoken phones; pauses belong to no word.

    Returns:
        Start and end of each word in seconds.

    Raises:
        ValueError: A word was not said.
    """
    spoken = [phone for phone in phones if phone.name != PAUSE]
    expected = [(name, word) for word, names in enumerate(words) for name in names]
    owners = _owners(expected, [phone.name for phone in spoken])
    spans = []
    for word in range(len(words)):
        own = [phone for phone, owner in zip(spoken, owners, strict=True) if owner == word]
        if not own:
            raise ValueError(f"word {word} was not found in the speech")
        spans.append((own[0].start, own[-1].end))
    return spans


def _owners(expected: Sequence[tuple[str, int]], spoken: Sequence[str]) -> list[int]:
    """The word of each spoken phone, along the cheapest way through the table of changes."""
    costs = _costs([name for name, _ in expected], spoken)
    owners = [0] * len(spoken)
    row, column = len(expected), len(spoken)
    while column:
        name, word = expected[row - 1] if row else ("", 0)
        owners[column - 1] = word
        differs = name != spoken[column - 1]
        if row and costs[row, column] == costs[row - 1, column - 1] + differs:
            row, column = row - 1, column - 1
        elif row and costs[row, column] == costs[row - 1, column] + 1:
            row -= 1
        else:
            column -= 1
    return owners


def _costs(expected: Sequence[str], spoken: Sequence[str]) -> npt.NDArray[np.int64]:
    """The least number of changes between all beginnings of both."""
    costs = np.add.outer(np.arange(len(expected) + 1), np.arange(len(spoken) + 1))
    for row, one in enumerate(expected, 1):
        for column, other in enumerate(spoken, 1):
            costs[row, column] = min(
                costs[row - 1, column - 1] + (one != other),
                costs[row - 1, column] + 1,
                costs[row, column - 1] + 1,
            )
    return costs
