"""When each of several speakers speaks alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maie_diarization.engine import Turn

FRAMES_PER_SECOND = 100


def frames_alone(speakers: Sequence[Sequence[Turn]], count: int) -> list[NDArray[np.int64]]:
    """The frames of 10 ms in which a speaker speaks and nobody else does, for each speaker.

    Args:
        speakers: The turns of each speaker.
        count: The number of frames of the chunk.
    """
    active = np.zeros((len(speakers), count), np.bool_)
    for place, turns in enumerate(speakers):
        for turn in turns:
            first, last = (round(edge * FRAMES_PER_SECOND) for edge in (turn.start, turn.end))
            active[place, first:last] = True
    alone = active & (active.sum(axis=0) == 1)
    return [np.flatnonzero(each) for each in alone]
