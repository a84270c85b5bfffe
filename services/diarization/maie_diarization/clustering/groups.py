"""Groups of voices that surely are one speaker's: what a long recording is clustered by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_diarization.clustering.linkage import Floats, average_linkage
from maie_diarization.engine import Calibration, Voice

# The similarities of so many groups take 16 MB; those of a recording of 10 hours fit.
MOST_GROUPS: Final = 2000


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Groups:
    """Groups of voices.

    Attributes:
        means: The mean embedding of each, weighted by duration and therefore no longer
            than 1; shape (groups, dimensions).
        durations: The seconds of clean speech of each; shape (groups,).
    """

    means: Floats
    durations: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.means)

    def taken(self, places: NDArray[np.int64]) -> Groups:
        """Some of the groups."""
        return Groups(means=self.means[places], durations=self.durations[places])

    def united(self, labels: NDArray[np.int64]) -> Groups:
        """Larger groups.

        Args:
            labels: The new group of each group, 0 to the number of new ones - 1.
        """
        count = int(labels.max()) + 1 if len(labels) else 0
        durations = np.bincount(labels, self.durations, count).astype(np.float64)
        sums = np.zeros((count, self.means.shape[1]))
        np.add.at(sums, labels, self.means * self.durations[:, np.newaxis])
        means = (sums / durations[:, np.newaxis]).astype(np.float32)
        return Groups(means=means, durations=durations)


def gather(
    chunks: Sequence[Sequence[Voice]], calibration: Calibration, heartbeat: Callable[[], None]
) -> Groups:
    """Joins the voices of each chunk, and then those of the recording while they are too many.

    Args:
        chunks: The voices of each chunk; those without enough clean speech are left out.
        calibration: From which similarity voices surely are one speaker's.
        heartbeat: Called for each chunk.
    """
    pending: list[Groups] = []
    for voices in chunks:
        clear = [
            voice
            for voice in voices
            if voice.embedding is not None and voice.clean_duration >= calibration.min_duration
        ]
        if clear:
            pending.append(_joined(_of(clear), calibration.surely_same_speaker, heartbeat))
        if sum(map(len, pending)) > MOST_GROUPS:
            pending = [_halved(_stacked(pending), heartbeat)]
        heartbeat()
    return _stacked(pending)


def _of(voices: Sequence[Voice]) -> Groups:
    return Groups(
        means=np.stack([voice.embedding for voice in voices if voice.embedding is not None]),
        durations=np.array([voice.clean_duration for voice in voices]),
    )


def _stacked(groups: Sequence[Groups]) -> Groups:
    if not groups:
        return Groups(means=np.zeros((0, 0), np.float32), durations=np.zeros(0))
    return Groups(
        means=np.concatenate([each.means for each in groups]),
        durations=np.concatenate([each.durations for each in groups]),
    )


def _joined(groups: Groups, similarity: float, heartbeat: Callable[[], None]) -> Groups:
    tree = average_linkage(groups.means, groups.durations, heartbeat)
    return groups.united(tree.joined(tree.joins_above(similarity)))


def _halved(groups: Groups, heartbeat: Callable[[], None]) -> Groups:
    tree = average_linkage(groups.means, groups.durations, heartbeat)
    return groups.united(tree.joined(len(groups) - MOST_GROUPS // 2))
