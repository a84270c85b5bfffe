"""The best path of known symbols through what a CTC model says of audio (Viterbi).

Graves et al., "Connectionist Temporal Classification", ICML 2006: between two symbols, and around
all of them, any number of frames is blank; between two equal ones at least one is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float32]
"""Log probabilities, of shape (frames, columns)."""

BLANK = -1
"""The place of a frame between symbols."""


def fits(frames: int, symbols: Sequence[int]) -> bool:
    """Whether there are frames enough for all symbols."""
    doubles = sum(a == b for a, b in pairwise(symbols))
    return 0 < len(symbols) + doubles <= frames


def best_path(levels: Levels, symbols: Sequence[int], blank: int) -> NDArray[np.int32]:
    """Finds when each symbol is spoken.

    It takes (2 * symbols + 1) bytes for each frame; no more symbols fit than there are frames.

    Args:
        levels: What the model says. All are finite.
        symbols: The columns of what was spoken, in order; at least one.
        blank: The column of the blank.

    Returns:
        For each frame the place of its symbol, or BLANK. Each symbol has at least one frame.

    Raises:
        ValueError: There are too few frames.
    """
    if not fits(len(levels), symbols):
        raise ValueError("there are too few frames")
    states = np.full(2 * len(symbols) + 1, blank)
    states[1::2] = symbols
    # From one symbol straight to the next, unless they are equal.
    jumps = np.zeros(len(states), np.bool_)
    jumps[3::2] = states[3::2] != states[1:-2:2]
    steps = np.zeros((len(levels), len(states)), np.int8)
    # Row 0 has the cost of staying, 1 that of a step, 2 that of a jump.
    ways = np.full((3, len(states)), -np.inf)
    best = np.full(len(states), -np.inf)
    best[:2] = levels[0, states[:2]]
    for frame in range(1, len(levels)):
        ways[0] = best
        ways[1, 1:] = best[:-1]
        ways[2, 2:] = np.where(jumps[2:], best[:-2], -np.inf)
        steps[frame] = ways.argmax(axis=0)
        best = ways.max(axis=0) + levels[frame, states]
    return _walked(steps, len(states) - 1 if best[-1] >= best[-2] else len(states) - 2)


def _walked(steps: NDArray[np.int8], last: int) -> NDArray[np.int32]:
    path = np.empty(len(steps), np.int32)
    state = last
    for frame in range(len(steps) - 1, -1, -1):
        path[frame] = state // 2 if state % 2 else BLANK
        state -= int(steps[frame, state])
    return path
