"""The words on a path, with their times and scores."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import exp, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_alignment.engine import AlignedWord, Letter, Phone
from maie_alignment.engines.ctc.audio import FRAME_SECONDS
from maie_alignment.engines.ctc.trellis import BLANK, Levels, best_path, fits
from maie_alignment.engines.ctc.vocabulary import GAP, Spelling, Vocabulary
from maie_alignment.engines.english import letters_of, spelling

# CTC is late: the middle between two symbols is so much after the boundary that one hears. In
# hama's model; docs/reading.md has the figures.
_LATE_SECONDS: Final = 0.015
# A symbol beside a pause reaches so many frames into it, as CTC shows the middle of a sound.
_TAIL_FRAMES: Final = 3.0
# The log probability that a word loses against the model's own choice, by the square root of its
# symbols, at which it is as likely another one, and how quickly it becomes likelier.
_EVEN_LOSS: Final = -7.5
_LOSS_SCALE: Final = 1.0
# Beyond it the score is 0 in any case.
_MAX_EXPONENT: Final = 50.0


def find_words(
    scores: Levels, spellings: Sequence[Spelling], vocabulary: Vocabulary, length: float
) -> list[AlignedWord]:
    """Finds words in what a model says.

    Args:
        scores: Log probabilities, of shape (frames, columns).
        spellings: The words, in order.
        vocabulary: The model's columns.
        length: The length of the audio, in seconds.

    Returns:
        The words, in order; empty where they do not fit into the frames.
    """
    symbols = [symbol for spelling in spellings for symbol in spelling.symbols]
    # Before anything is as large as their product.
    if not symbols or len(symbols) > len(scores):
        return []
    levels, places = vocabulary.levels(scores, symbols)
    if not fits(len(levels), places):
        return []
    path = best_path(levels, places, GAP)
    columns = np.where(path == BLANK, GAP, np.asarray(places)[path])
    choice = np.maximum(scores.max(axis=1), levels.max(axis=1))
    losses = levels[np.arange(len(path)), columns] - choice
    first = np.searchsorted(_filled(path), np.arange(len(symbols)), "left")
    last = first + np.bincount(path[path != BLANK], minlength=len(symbols)) - 1
    stops = [*accumulate(len(spelling.symbols) for spelling in spellings)]
    starts = [0, *stops[:-1]]
    edges = _edges(first, last, set(starts), length)
    return [
        _word(
            spelling,
            edges[start:stop],
            _loss(losses, first, last, start, stop),
            [float(losses[first[at] : last[at] + 1].sum()) for at in range(start, stop)],
            has_phones=vocabulary.has_phones,
        )
        for spelling, start, stop in zip(spellings, starts, stops, strict=True)
    ]


def _filled(path: NDArray[np.int32]) -> NDArray[np.int32]:
    """The path with each blank as the symbol before it, so that it never falls."""
    filled: NDArray[np.int32] = np.maximum.accumulate(path)
    return filled


def _loss(
    losses: NDArray[np.float32],
    first: NDArray[np.int_],
    last: NDArray[np.int_],
    start: int,
    stop: int,
) -> float:
    """What a word loses: between its symbols all, and half of what is lost in the gaps beside it.

    A word that was not said is squeezed in anywhere, and what was said instead is in the gaps.
    """
    begin, end = first[start], last[stop - 1] + 1
    before = last[start - 1] + 1 if start else 0
    after = first[stop] if stop < len(first) else len(losses)
    gaps = losses[before:begin].sum() + losses[end:after].sum()
    return float(losses[begin:end].sum() + gaps / 2) / sqrt(stop - start)


def _edges(
    first: NDArray[np.int_], last: NDArray[np.int_], starts: set[int], length: float
) -> list[tuple[float, float]]:
    """When each symbol begins and ends, in seconds."""
    begins, ends = [first[0] - _TAIL_FRAMES], []
    for place, (end, begin) in enumerate(_joints(first, last), start=1):
        middle = (end + begin) / 2
        # Within a word there are no gaps.
        is_pause = place in starts and begin - end > 2 * _TAIL_FRAMES
        ends.append(end + _TAIL_FRAMES if is_pause else middle)
        begins.append(begin - _TAIL_FRAMES if is_pause else middle)
    ends.append(last[-1] + 1 + _TAIL_FRAMES)
    return [
        (_seconds(begin, length), _seconds(end, length))
        for begin, end in zip(begins, ends, strict=True)
    ]


def _joints(first: NDArray[np.int_], last: NDArray[np.int_]) -> list[tuple[int, int]]:
    """Where each symbol but the last ends, and where the next one begins."""
    return [(int(end) + 1, int(begin)) for end, begin in zip(last[:-1], first[1:], strict=True)]


def _seconds(frame: float, length: float) -> float:
    return min(max(0.0, float(frame) * FRAME_SECONDS - _LATE_SECONDS), length)


def _word(
    spelled: Spelling,
    edges: Sequence[tuple[float, float]],
    loss: float,
    losses: Sequence[float],
    *,
    has_phones: bool,
) -> AlignedWord:
    phones: tuple[Phone, ...] = ()
    if has_phones:
        phones = tuple(
            Phone(symbol=symbol.name, start=start, end=end, score=_score(own))
            for symbol, (start, end), own in zip(spelled.symbols, edges, losses, strict=True)
        )
        letters = letters_of(spelling(spelled.word), phones)
    else:
        letters = tuple(
            Letter(text=symbol.name, start=start, end=end)
            for symbol, (start, end) in zip(spelled.symbols, edges, strict=True)
        )
    return AlignedWord(
        text=spelled.word,
        start=edges[0][0],
        end=edges[-1][1],
        score=_score(loss),
        in_dictionary=spelled.known,
        phones=phones,
        letters=letters,
    )


def _score(loss: float) -> float:
    return 1 / (1 + exp(min(_MAX_EXPONENT, (_EVEN_LOSS - loss) / _LOSS_SCALE)))
