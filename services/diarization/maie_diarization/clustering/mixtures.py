"""Groups of voices that are no speaker's own, but what two speakers make together.

Where two speak at once, or one right after the other, an embedding may lie between theirs. A long
recording has so many of them that they look like one more speaker.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_diarization.clustering.groups import Groups
from maie_diarization.clustering.linkage import Floats

# Of more, those with the least speech are taken as they are: no recording has so many speakers.
_MOST: Final = 40


def own_voices(groups: Groups, mixed_speakers: float) -> NDArray[np.int64]:
    """The groups that are not made of larger ones, by falling duration.

    Args:
        groups: The groups.
        mixed_speakers: See `Calibration`.
    """
    order = np.argsort(-groups.durations, kind="stable")
    voices = groups.means / np.linalg.norm(groups.means, axis=1, keepdims=True)
    similarity = voices @ voices.T
    own: list[int] = []
    for place in order.tolist():
        alike, between = similarity[place, own], similarity[np.ix_(own, own)]
        if len(own) >= _MOST or _mixed(alike, between) < mixed_speakers:
            own.append(place)
    return np.array(own, np.int64)


def _mixed(alike: Floats, between: Floats) -> float:
    """The highest similarity of a voice to another one, or to what two others make together.

    Args:
        alike: Its similarity to each of the others.
        between: Theirs to each other.
    """
    return max([*alike.tolist(), *_together(alike, between)], default=-1.0)


def _together(alike: Floats, between: Floats) -> Sequence[float]:
    """The similarity of a voice to its projection on what each two others span; as `_mixed`."""
    found: list[float] = []
    for one, other in combinations(range(len(alike)), 2):
        first, second, common = float(alike[one]), float(alike[other]), float(between[one, other])
        # The parts of the two in it, both times what is left of 1: only sums are mixtures.
        if first > common * second and second > common * first:
            square = (first**2 + second**2 - 2 * first * second * common) / (1 - common**2)
            found.append(square**0.5)
    return found
