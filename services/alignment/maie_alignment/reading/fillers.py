"""Fillers, such as "um", which speech recognition leaves out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_alignment.engine import AlignedWord, Filler
from maie_alignment.reading.compare import Unit

Listen = Callable[[Sequence[str]], Awaitable[list[Filler]]]
"""Looks for fillers in the audio of a piece."""

# Chosen with readers who are not among those of docs/reading.md. Shorter ones are found everywhere,
# in the middle of other words; a longer one fills a pause.
MIN_SECONDS = 0.22
MAX_SECONDS = 1.0
MIN_SCORE = 0.3


def with_fillers(
    units: Sequence[Unit], spoken: Sequence[str], fillers: Sequence[Filler]
) -> list[tuple[Unit, bool]]:
    """Puts fillers that may be spoken between the units.

    Args:
        units: The units.
        spoken: What is spoken of each; empty for nothing.
        fillers: What else may be, by the numbers of those that are spoken.

    Returns:
        All units, and whether each was put between.
    """
    made: list[tuple[Unit, bool]] = []
    place = 0
    for unit, word in zip(units, spoken, strict=True):
        if word:
            made += [(_unit(each), True) for each in fillers if each.place == place]
            place += 1
        made.append((unit, False))
    return made + [(_unit(each), True) for each in fillers if each.place == place]


def is_likely(word: AlignedWord | None) -> bool:
    """Whether what was put between the units was spoken, by how it fits the audio."""
    if word is None or word.score < MIN_SCORE:
        return False
    return MIN_SECONDS <= word.end - word.start <= MAX_SECONDS


def _unit(filler: Filler) -> Unit:
    return Unit(heard=filler.text, outcome=alignment.WORD_OUTCOME_FILLER)
