"""The voices of a live track that are remembered: as many as a bound allows, however long it is."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_diarization.clustering.groups import Groups
from maie_diarization.clustering.linkage import Floats, average_linkage

# The similarities of so many groups are clustered in some milliseconds.
MOST_GROUPS: Final = 200
NOBODY: Final = 0
TOO_LITTLE: Final = -1
"""Of a voice that was a speaker, and had too little speech for one as the track got longer."""


class Memory:
    """Groups of voices, each of one speaker.

    Args:
        similarity: Voices of one speaker whose mean similarity is at least this are kept as one
            group once there are many.

    Attributes:
        groups: The groups.
        numbers: The number of each group's speaker; `NOBODY` where it has none yet, or
            `TOO_LITTLE`.
    """

    def __init__(self, similarity: float) -> None:
        self._similarity = similarity
        self.groups = Groups(means=np.zeros((0, 0), np.float32), durations=np.zeros(0))
        self.numbers: NDArray[np.int64] = np.zeros(0, np.int64)

    def add(self, mean: Floats, seconds: float, number: int = NOBODY) -> None:
        """Adds a group.

        Args:
            mean: The mean of its embeddings.
            seconds: Its clean speech.
            number: The number of its speaker.
        """
        means = self.groups.means.reshape(-1, len(mean))
        self.groups = Groups(
            means=np.concatenate([means, mean[np.newaxis]]),
            durations=np.append(self.groups.durations, seconds),
        )
        self.numbers = np.append(self.numbers, number)

    def condense(self) -> None:
        """Unites groups of one speaker where there are too many; nobody's smallest are dropped."""
        if len(self.groups) <= MOST_GROUPS:
            return
        kept = [(number, self._condensed(number)) for number in sorted(set(self.numbers.tolist()))]
        self.groups = Groups(
            means=np.concatenate([groups.means for _, groups in kept]),
            durations=np.concatenate([groups.durations for _, groups in kept]),
        )
        self.numbers = np.repeat(
            [number for number, _ in kept], [len(groups) for _, groups in kept]
        ).astype(np.int64)

    def _condensed(self, number: int) -> Groups:
        """The groups of a speaker, at most half of the speaker's share of all that may be."""
        places = np.flatnonzero(self.numbers == number)
        most = max(1, len(places) * MOST_GROUPS // (2 * len(self.groups)))
        if number <= NOBODY:
            longest = np.argsort(-self.groups.durations[places], kind="stable")[:most]
            return self._part(places[longest])
        groups = self._part(places)
        tree = average_linkage(groups.means, groups.durations, lambda: None)
        joins = max(tree.joins_above(self._similarity), len(groups) - most)
        return groups.united(tree.joined(joins))

    def _part(self, places: NDArray[np.int64]) -> Groups:
        return Groups(means=self.groups.means[places], durations=self.groups.durations[places])
