"""Percentiles of measurements."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """A percentile, interpolated linearly between the two nearest values.

    Args:
        values: In any order; at least one.
        percent: 0 to 100.

    Raises:
        ValueError: There are no values, or no such percentile.
    """
    if not values or not 0 <= percent <= 100:
        raise ValueError(f"{len(values)} values have no percentile {percent}")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
