"""Whether partial results come clearly more seldom than asked for."""

from __future__ import annotations

from statistics import mean

THINNED = 2.0
"""How many times more seldom than asked for, on average, from which on there is a warning."""
# Reports of a replica that are taken together; it makes at least one in two seconds.
WINDOW = 10
# A second warning soon after the first helps nobody.
QUIET = 600


class ThinningMeter:
    """Takes what replicas report of the partial results of one channel."""

    def __init__(self) -> None:
        self._factors: list[int] = []
        self._reports = self._quiet_until = 0

    def feed(self, factor: int) -> float | None:
        """Takes a report.

        Args:
            factor: How many times more seldom than asked for partials come; 0 for unknown.

        Returns:
            The mean of the last ten reports, where it is at least two and nothing was said for 600
            reports; None otherwise.
        """
        if not factor:
            return None
        self._reports += 1
        self._factors.append(factor)
        if len(self._factors) < WINDOW:
            return None
        thinned = mean(self._factors)
        self._factors.clear()
        if thinned < THINNED or self._reports < self._quiet_until:
            return None
        self._quiet_until = self._reports + QUIET
        return thinned
