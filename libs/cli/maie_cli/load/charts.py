"""What is drawn of measurements: their distribution, and their course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from sys import float_info

from maie_cli.load.percentiles import percentile
from maie_cli.load.runs import Sample

MOST_ROWS = 12
NICE = (1, 2, 5, 10)
# Times are read in minutes and hours.
TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600)
COURSE_PERCENT = 90
# Of edges, without the noise of floats.
DIGITS = 9


@dataclass(kw_only=True, frozen=True, slots=True)
class Bar:
    """The values within a range.

    Attributes:
        from_seconds: The lowest.
        to_seconds: What they are below.
        count: How many there are.
    """

    from_seconds: float
    to_seconds: float
    count: int


@dataclass(kw_only=True, frozen=True, slots=True)
class Slot:
    """The values of a time.

    Attributes:
        from_seconds: Its beginning, from that of the load.
        to_seconds: Its end.
        count: How many there are.
        p90: Nine tenths of them are at most this, in seconds; None where there are none.
    """

    from_seconds: float
    to_seconds: float
    count: int
    p90: float | None


def bars_of(values: Sequence[float]) -> list[Bar]:
    """The distribution of values, in at most `MOST_ROWS` ranges of round and equal width."""
    if not values:
        return []
    low, high = min(values), max(values)
    step = _step(high - low or abs(high) or 1.0)
    first = floor(low / step)
    counts = [0] * (floor(high / step) - first + 1)
    for value in values:
        counts[min(floor(value / step) - first, len(counts) - 1)] += 1
    edges = [round((first + at) * step, DIGITS) for at in range(len(counts) + 1)]
    return [
        Bar(from_seconds=low, to_seconds=high, count=count)
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]


def slots_of(samples: Sequence[Sample]) -> list[Slot]:
    """The values by when they were measured, in at most `MOST_ROWS` times of equal length."""
    if not samples:
        return []
    length = max(sample.at for sample in samples)
    step = next((each for each in TIME_STEPS if length / each < MOST_ROWS), TIME_STEPS[-1])
    while length / step >= MOST_ROWS:
        step *= 2
    slots: list[list[float]] = [[] for _ in range(floor(length / step) + 1)]
    for sample in samples:
        slots[floor(sample.at / step)].append(sample.seconds)
    return [
        Slot(
            from_seconds=at * step,
            to_seconds=(at + 1) * step,
            count=len(values),
            p90=percentile(values, COURSE_PERCENT) if values else None,
        )
        for at, values in enumerate(slots)
    ]


def _step(span: float) -> float:
    """A round width of which not more than `MOST_ROWS` cover a span, wherever it begins."""
    least = max(span / (MOST_ROWS - 2), float_info.min)  # as 0 has no logarithm
    power = 10.0 ** floor(log10(least))
    return next(nice * power for nice in NICE if nice * power >= least)
