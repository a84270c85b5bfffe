"""How far a confidence can be trusted: fitting it to what was right, and scoring it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Of so many judgements or more each point of a line is made.
_LEAST_JUDGEMENTS = 12
# Confidences are compared with what was right in so many equal parts of 0 to 1.
_PARTS = 10

Line = tuple[tuple[float, float], ...]
"""Agreements, rising, and for each the share that is right."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Judgement:
    """A number of speakers that was found.

    Attributes:
        agreement: The share of other thresholds that give it, 0 to 1.
        right: Whether it is the true number.
    """

    agreement: float
    right: bool


def fitted(judgements: Sequence[Judgement], points: int) -> Line:
    """The share that is right by the agreement, which never falls as that rises.

    Neighbours are pooled where it would fall (Ayer et al., "An empirical distribution function for
    sampling with incomplete information", 1955); one judgement of each kind is added to each
    point, so that none is certain.

    Args:
        judgements: What was found; at least one.
        points: How many points at most.
    """
    ordered = sorted(judgements, key=lambda each: each.agreement)
    count = max(1, min(points, len(ordered) // _LEAST_JUDGEMENTS))
    pools: list[list[Judgement]] = []
    for part in np.array_split(np.arange(len(ordered)), count):
        pools.append([ordered[place] for place in part.tolist()])
        while len(pools) > 1 and _share(pools[-2]) >= _share(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    return tuple(
        (float(np.mean([each.agreement for each in pool])), _share(pool)) for pool in pools
    )


def confidences(judgements: Sequence[Judgement], line: Line) -> list[float]:
    """What a line says of each judgement."""
    agreements, shares = zip(*line, strict=True)
    return [float(np.interp(each.agreement, agreements, shares)) for each in judgements]


def brier(judgements: Sequence[Judgement], said: Sequence[float]) -> float:
    """The mean squared difference of confidence and truth: 0 is perfect, always 0.5 gives 0.25."""
    pairs = zip(judgements, said, strict=True)
    return float(np.mean([(confidence - each.right) ** 2 for each, confidence in pairs]))


def calibration_error(judgements: Sequence[Judgement], said: Sequence[float]) -> float:
    """The expected calibration error: how far confidences are from the share that is right, 0 to 1.

    Source: Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning" (2015).
    """
    parts = np.minimum(np.floor(np.array(said) * _PARTS), _PARTS - 1)
    right = np.array([each.right for each in judgements], float)
    return float(
        sum(
            abs(np.sum(right[parts == part]) - np.sum(np.array(said)[parts == part]))
            for part in np.unique(parts)
        )
        / len(right)
    )


def _share(pool: Sequence[Judgement]) -> float:
    return (sum(each.right for each in pool) + 1) / (len(pool) + 2)
