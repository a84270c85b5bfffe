"""Whether what was sampled again and again stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

HOUR_SECONDS = 3600.0
# One for each minute of the last two thirds of half an hour.
TROUGHS = 20
BARS = "▁▂▃▄▅▆▇█"


@dataclass(kw_only=True)
class Series:
    """One quantity over time.

    Attributes:
        name: What it is of, such as "gateway".
        what: What it is, such as "memory".
        unit: Its unit, such as "MB".
        per_hour: The most it may rise by in an hour and still count as flat;
            None where it is only shown.
        share_per_hour: The same as a share of its own level, for what differs
            from mesh to mesh; the largest of all counts.
        swing: By how much it may stand higher at the end than at the begin of what
            is judged, however short that is, for what fills slowly and is emptied.
        times: When it was sampled, in seconds from the begin.
        values: What was sampled.
    """

    name: str
    what: str
    unit: str = ""
    per_hour: float | None = None
    share_per_hour: float = 0.0
    swing: float = 0.0
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, time: float, value: float) -> None:
        """Adds a sample; times only rise."""
        self.times.append(time)
        self.values.append(value)

    @property
    def settled(self) -> tuple[list[float], list[float]]:
        """Times and values without the first third, in which caches and queues fill."""
        end = self.times[-1]
        first = next(index for index, time in enumerate(self.times) if time >= end / 3)
        return self.times[first:], self.values[first:]

    @property
    def slope(self) -> float:
        """By how much its troughs rise in an hour, once it has settled.

        What is collected from time to time, as garbage is, leaves a saw, and
        what leaks lifts its troughs.
        """
        times, values = self.settled
        lowest = [
            min(range(start, end), key=values.__getitem__)
            for start, end in _spans(len(values), TROUGHS)
        ]
        return HOUR_SECONDS * theil_sen(
            [times[index] for index in lowest], [values[index] for index in lowest]
        )

    @property
    def allowed(self) -> float | None:
        """The steepest slope that counts as flat, in an hour; None where none is judged."""
        if self.per_hour is None:
            return None
        times, values = self.settled
        hours = (times[-1] - times[0]) / HOUR_SECONDS
        swing = self.swing / hours if hours else 0.0
        return max(self.per_hour, self.share_per_hour * median(values), swing)

    @property
    def grows(self) -> bool:
        """Whether it rises by more than it may. Of what was rarely seen, nothing can be said."""
        if self.allowed is None or len(self.settled[0]) < TROUGHS:
            return False
        return self.slope > self.allowed

    def picture(self, bars: int = 24) -> str:
        """Its course as small bars from its least to its greatest value."""
        least, most = min(self.values), max(self.values)
        height = (most - least) or 1.0
        shares = (median(self.values[start:end]) for start, end in _spans(len(self.values), bars))
        return "".join(BARS[round((value - least) / height * (len(BARS) - 1))] for value in shares)


def theil_sen(times: Sequence[float], values: Sequence[float]) -> float:
    """The median of the slopes between all pairs of samples, in units a second.

    Samples that lie far off, up to 29 % of them, do not move it (Theil 1950,
    Sen 1968). 0 for fewer than two samples.
    """
    samples = list(zip(times, values, strict=True))
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for earlier, later in combinations(samples, 2)
        if later[0] > earlier[0]
    ]
    return median(slopes) if slopes else 0.0


def _spans(length: int, parts: int) -> list[tuple[int, int]]:
    parts = min(parts, length)
    return [(length * part // parts, length * (part + 1) // parts) for part in range(parts)]
