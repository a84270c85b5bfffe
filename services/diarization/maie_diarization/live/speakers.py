"""The speakers of a live track, found anew with each window. Pure: no I/O, no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maie_core.limits import MAX_SPEAKERS
from maie_diarization.clustering.linkage import Floats, average_linkage
from maie_diarization.engine import Calibration, Voice
from maie_diarization.live.memory import TOO_LITTLE, Memory

# Two speakers are one once so many windows in a row say so: by measurement, voices that are alike
# seem to be one now and then, and nothing takes it back.
MERGE_WINDOWS: Final = 10

# Who has too little speech for a speaker of a longer track had so many windows to say more.
DROP_WINDOWS: Final = 30

Cluster: TypeAlias = NDArray[np.int64]
"""The places of the groups that are one speaker's."""


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Known:
    """What is known of a speaker.

    Attributes:
        number: The speaker's number, from 1.
        mean: The mean of the embeddings, weighted by speech and therefore no longer than 1; of
            shape (dimensions,).
        seconds: The clean speech that it is made from.
    """

    number: int
    mean: Floats
    seconds: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Merge:
    """Two speakers who turn out to be one.

    Attributes:
        old: The number that is no more.
        new: The number of who it is.
    """

    old: int
    new: int


class LiveSpeakers:
    """Finds the speakers of a track as for a recording that ends now, and keeps their numbers.

    Args:
        calibration: What the engine says of its embeddings.
        known: The speakers who are known from before.
        next_number: The number of the next speaker, from 1.
        most: The most speakers.

    Attributes:
        next_number: As given, as it is now.
    """

    def __init__(
        self,
        calibration: Calibration,
        known: Iterable[Known] = (),
        next_number: int = 1,
        most: int = MAX_SPEAKERS,
    ) -> None:
        self.next_number = next_number
        self._calibration = calibration
        self._most = most
        self._memory = Memory(calibration.surely_same_speaker)
        for each in known:
            self._memory.add(each.mean, each.seconds, each.number)
        # For how many windows a speaker has been the same as another.
        self._united: dict[Merge, int] = {}
        # For how many windows a speaker has had too little speech for a recording so long.
        self._small: dict[int, int] = {}

    @property
    def known(self) -> list[Known]:
        """The speakers, by their numbers."""
        memory = self._memory
        found = []
        for number in sorted({each for each in memory.numbers.tolist() if each > 0}):
            of_speaker = memory.numbers == number
            durations = memory.groups.durations[of_speaker]
            mean = np.average(memory.groups.means[of_speaker], axis=0, weights=durations)
            seconds = float(durations.sum())
            found.append(Known(number=number, mean=mean.astype(np.float32), seconds=seconds))
        return found

    def hear(self, voices: Sequence[Voice]) -> list[Merge]:
        """Learns from the voices of one window.

        Returns:
            The speakers who turn out to be one by that.
        """
        memory, before = self._memory, len(self._memory.groups)
        for voice in voices:
            enough = voice.clean_duration >= self._calibration.min_duration
            if voice.embedding is not None and enough:
                memory.add(voice.embedding, voice.clean_duration)
        if len(memory.groups) == before:
            return []
        memory.condense()
        clusters = self._clusters()
        united = self._name(clusters)
        self._united = {merge: self._united.get(merge, 0) + 1 for merge in united}
        merges = [merge for merge, count in self._united.items() if count >= MERGE_WINDOWS]
        for merge in merges:
            memory.numbers[memory.numbers == merge.old] = merge.new
            del self._united[merge]
        return merges + self._drop()

    def _clusters(self) -> list[Cluster]:
        """The groups of each speaker, as a recording of them has it; who speaks most is first.

        Whoever has a number stays a speaker. Where nobody is heard enough yet, who speaks most is.
        """
        memory, calibration = self._memory, self._calibration
        groups = memory.groups
        tree = average_linkage(groups.means, groups.durations, _ignore)
        labels = tree.joined(tree.joins_above(calibration.same_speaker))
        durations = groups.united(labels).durations
        order = np.argsort(-durations, kind="stable")
        clusters = [np.flatnonzero(labels == label) for label in order]
        speakers = [
            cluster
            for cluster, label in zip(clusters, order, strict=True)
            if (memory.numbers[cluster] > 0).any() or durations[label] >= self._enough(cluster)
        ]
        return speakers or clusters[:1]

    def _enough(self, cluster: Cluster) -> float:
        """The clean speech from which a cluster is a speaker, in seconds."""
        if (self._memory.numbers[cluster] == TOO_LITTLE).any():
            return self._least()
        return self._calibration.min_speaker_duration

    def _least(self) -> float:
        """The clean speech from which somebody is a speaker of a recording that ends now."""
        calibration = self._calibration
        share = calibration.min_speaker_share * float(self._memory.groups.durations.sum())
        return max(calibration.min_speaker_duration, min(share, calibration.sure_speaker_duration))

    def _drop(self) -> list[Merge]:
        """Takes back who has been no speaker of a recording for long: mostly two at once."""
        known, least = self.known, self._least()
        small = [each for each in known if each.seconds < least]
        self._small = {each.number: self._small.get(each.number, 0) + 1 for each in small}
        dropped = []
        for each in small:
            others = [other for other in known if other not in small]
            if others and self._small[each.number] >= DROP_WINDOWS:
                nearest = max(others, key=lambda other: float(other.mean @ each.mean))
                dropped.append(Merge(old=each.number, new=nearest.number))
                self._memory.numbers[self._memory.numbers == each.number] = TOO_LITTLE
        return dropped

    def _name(self, clusters: Sequence[Cluster]) -> list[Merge]:
        """Gives the groups of each cluster the number that most of its speech had.

        Returns:
            The speakers who are in one cluster with an earlier one.
        """
        homes = self._homes(clusters)
        united = []
        for place, cluster in enumerate(clusters):
            own = sorted(number for number, home in homes.items() if home == place)
            if own:
                united += [Merge(old=number, new=own[0]) for number in own[1:]]
            elif len(known := self.known) < self._most:
                own = [self.next_number]
                self.next_number += 1
            else:
                own = [each.number for each in known]
            self._assign(cluster, own)
        return united

    def _homes(self, clusters: Sequence[Cluster]) -> Mapping[int, int]:
        """The cluster that has most of each speaker's speech."""
        memory = self._memory
        spoken: defaultdict[int, list[float]] = defaultdict(lambda: [0.0] * len(clusters))
        for place, cluster in enumerate(clusters):
            for group in cluster.tolist():
                spoken[int(memory.numbers[group])][place] += float(memory.groups.durations[group])
        return {number: int(np.argmax(each)) for number, each in spoken.items() if number > 0}

    def _assign(self, cluster: Cluster, numbers: Sequence[int]) -> None:
        """Gives the groups of a cluster that have none of its numbers the most similar one."""
        memory = self._memory
        means = {each.number: each.mean for each in self.known if each.number in numbers}
        for group in cluster.tolist():
            if memory.numbers[group] not in numbers:
                mean = memory.groups.means[group]
                best = max(means, key=lambda each: float(means[each] @ mean), default=numbers[0])
                memory.numbers[group] = best


def _ignore() -> None:
    """Takes no heartbeat: what is clustered here takes milliseconds."""
