"""Clears what speech recognition misheard, by how well the expected words fit the audio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from math import log

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_alignment.engine import AlignedWord
from maie_alignment.reading.compare import Unit
from maie_alignment.reading.fillers import Listen, is_likely, with_fillers

Align = Callable[[Sequence[str]], Awaitable[list[AlignedWord]]]
"""Aligns words with the audio of a piece."""

# The odds, as a logarithm, by which what was heard may fit better than what was expected.
MARGIN = 1.0
# A word that was left out squeezes itself into its neighbours, so it must fit well.
LEFT_OUT_SCORE = 0.9
# More words than these in a row were left out, and nobody misheard them.
MAX_LEFT_OUT = 2
# Scores nearer to 0 or 1 say no more.
SCORE_EDGE = 1e-6


@dataclass(kw_only=True, frozen=True, slots=True)
class FoundUnit:
    """A unit, and what was spoken; None where that could not be aligned or nothing was."""

    unit: Unit
    word: AlignedWord | None


async def check(units: Sequence[Unit], align: Align, listen: Listen) -> list[FoundUnit]:
    """Says what became of the units of a piece, and when they were spoken.

    Args:
        units: The units, as words tell.
        align: Aligns words with the piece's audio.
        listen: Looks for fillers in it.
    """
    judged = list(units)
    wrong = {place for place, unit in enumerate(units) if _is_wrong(unit)}
    left_out = _doubtful(units)
    if wrong or left_out:
        as_expected = await _aligned(
            units, [_expected(place, units, left_out) for place in range(len(units))], align
        )
        as_heard = await _aligned(units, [unit.heard for unit in units], align)
        for place in wrong:
            if _fits(as_expected[place], as_heard[place]):
                judged[place] = _correct(units[place])
        for place in left_out:
            found = as_expected[place]
            if found and found.score >= LEFT_OUT_SCORE:
                judged[place] = _correct(units[place])
    judged = await _and_fillers(judged, align, listen)
    spoken = await _aligned(judged, [_spoken(unit) for unit in judged], align)
    return [FoundUnit(unit=unit, word=word) for unit, word in zip(judged, spoken, strict=True)]


async def _and_fillers(units: Sequence[Unit], align: Align, listen: Listen) -> list[Unit]:
    """The units, with fillers between them."""
    spoken = [_spoken(unit) for unit in units]
    may_be = await listen([word for word in spoken if word])
    if not may_be:
        return list(units)
    more = with_fillers(units, spoken, may_be)
    all_units = [unit for unit, _ in more]
    found = await _aligned(all_units, [_spoken(unit) for unit in all_units], align)
    return [
        unit
        for (unit, is_added), word in zip(more, found, strict=True)
        if not is_added or is_likely(word)
    ]


def _is_wrong(unit: Unit) -> bool:
    return unit.outcome == alignment.WORD_OUTCOME_WRONG


def _doubtful(units: Sequence[Unit]) -> set[int]:
    """Words that were left out, a few at a time between others."""
    found: set[int] = set()
    run: list[int] = []
    for place, unit in enumerate(units):
        if unit.outcome == alignment.WORD_OUTCOME_SKIPPED:
            run.append(place)
            continue
        if len(run) <= MAX_LEFT_OUT:
            found.update(run)
        run = []
    return found


def _expected(place: int, units: Sequence[Unit], left_out: set[int]) -> str:
    unit = units[place]
    if unit.expected and (unit.heard or place in left_out):
        return unit.expected
    return unit.heard


def _correct(unit: Unit) -> Unit:
    return replace(unit, heard="", outcome=alignment.WORD_OUTCOME_CORRECT)


def _spoken(unit: Unit) -> str:
    return unit.expected if unit.outcome == alignment.WORD_OUTCOME_CORRECT else unit.heard


def _fits(expected: AlignedWord | None, heard: AlignedWord | None) -> bool:
    if expected is None or expected.score < 0.5:
        return False
    return heard is None or _odds(expected.score) >= _odds(heard.score) - MARGIN


def _odds(score: float) -> float:
    inside = min(max(score, SCORE_EDGE), 1 - SCORE_EDGE)
    return log(inside / (1 - inside))


async def _aligned(
    units: Sequence[Unit], words: Sequence[str], align: Align
) -> list[AlignedWord | None]:
    """Aligns the words of units, some of which may be empty."""
    found = await align([word for word in words if word])
    made: list[AlignedWord | None] = []
    rest = iter(found)
    following = next(rest, None)
    for word in words:
        # What nobody can speak is left out by the engine.
        if word and following is not None and following.text == word:
            made.append(following)
            following = next(rest, None)
        else:
            made.append(None)
    return made
