"""How many speakers there are, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_diarization.clustering.groups import Groups
from maie_diarization.clustering.hints import Hints
from maie_diarization.clustering.linkage import Dendrogram, Floats
from maie_diarization.clustering.mixtures import own_voices
from maie_diarization.engine import Calibration

# How sure a number is, is seen from the thresholds around those of the calibration: similarities
# that are so much lower or higher, and so many times the least speech of a speaker.
_SHIFTS: Final = np.linspace(-0.2, 0.2, 11)
_LEAST_FACTORS: Final = (0.5, 0.7, 1.0, 1.4, 2.0)

Counts = NDArray[np.int64]


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Cut:
    """The speakers, where joining groups of voices stops.

    Attributes:
        speakers: The mean embedding of each, as `Groups.means`; at least one.
        confidence: How likely their number is right, 0 to 1.
    """

    speakers: Floats
    confidence: float


def cut(groups: Groups, tree: Dendrogram, hints: Hints, calibration: Calibration) -> Cut:
    """Stops joining where the similarity says; or, if the hints forbid that number, close by.

    Args:
        groups: The groups; at least one.
        tree: Their dendrogram.
        hints: What is known of the number; a higher one than that of the groups is cut to that.
        calibration: The thresholds, and how often a number is right.
    """
    joins = tree.joins_above(calibration.same_speaker)
    least = _least(groups, calibration)
    found = _speakers(_united(groups, tree, joins), least, calibration)
    count = min(hints.clip(max(1, len(found))), len(groups))
    if count != len(found):
        joins = _joins_for(count, speaker_counts(groups, tree, least), joins)
        found = _largest(_united(groups, tree, joins), count)
    if count == hints.speaker_count:
        return Cut(speakers=found, confidence=1.0)
    agreements, shares = zip(*calibration.count_accuracy, strict=True)
    agreement = _agreement(count, groups, tree, calibration)
    return Cut(speakers=found, confidence=float(np.interp(agreement, agreements, shares)))


def _united(groups: Groups, tree: Dendrogram, joins: int) -> Groups:
    return groups.united(tree.joined(joins))


def _speakers(groups: Groups, least: float, calibration: Calibration) -> Floats:
    """The means of the groups that have enough speech, and voices of their own."""
    large = groups.taken(np.flatnonzero(groups.durations >= least))
    return large.means[own_voices(large, calibration.mixed_speakers)]


def _largest(groups: Groups, count: int) -> Floats:
    return groups.means[np.argsort(-groups.durations, kind="stable")[:count]]


def _least(groups: Groups, calibration: Calibration) -> float:
    """The seconds of clean speech from which a group is a speaker."""
    share = calibration.min_speaker_share * float(groups.durations.sum())
    return max(calibration.min_speaker_duration, min(share, calibration.sure_speaker_duration))


def speaker_counts(groups: Groups, tree: Dendrogram, least: float) -> Counts:
    """The number of groups with enough speech for a speaker, by the number of joins.

    Args:
        groups: The groups.
        tree: Their dendrogram.
        least: The seconds of clean speech that are enough.

    Returns:
        The numbers, of shape (groups,): after no join, one, and so on.
    """
    durations = groups.durations.copy()
    counts = [int(np.sum(durations >= least))]
    for one, other in tree.unions():
        pair = durations[one], durations[other]
        durations[one] = sum(pair)
        change = int(durations[one] >= least) - sum(int(each >= least) for each in pair)
        counts.append(counts[-1] + change)
    return np.array(counts)


def _joins_for(count: int, counts: Counts, joins: int) -> int:
    """The number of joins next to `joins` that leaves so many speakers."""
    (places,) = np.nonzero(counts == count)
    if not len(places):
        # Too little speech: however small, so many groups are speakers.
        return len(counts) - count
    return int(places[np.argmin(np.abs(places - joins))])


def _agreement(count: int, groups: Groups, tree: Dendrogram, calibration: Calibration) -> float:
    """The share of thresholds around those of the calibration that give a number, 0 to 1."""
    least = _least(groups, calibration)
    counts = []
    for shift in _SHIFTS:
        united = _united(groups, tree, tree.joins_above(calibration.same_speaker + shift))
        counts += [len(_speakers(united, each * least, calibration)) for each in _LEAST_FACTORS]
    return float(np.mean(np.maximum(counts, 1) == count))
