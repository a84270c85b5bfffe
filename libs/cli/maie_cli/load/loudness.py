"""Where a recording is loud."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# A frame of 10 ms is loud where it is less than so much below the loudest twentieth.
FRAMES_PER_SECOND = 100
LOUD_PERCENTILE, LOUD_DB = 95, -30


def loud_ends(samples: NDArray[np.int16], rate_hertz: int) -> NDArray[np.int64]:
    """The samples at which loud frames end, in order.

    Args:
        samples: Mono, of shape (samples,).
        rate_hertz: Samples per second.
    """
    size = rate_hertz // FRAMES_PER_SECOND
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.sqrt((frames.astype(np.float64) ** 2).mean(axis=1))
    if not len(power):
        return np.zeros(0, np.int64)
    loud = power > np.percentile(power, LOUD_PERCENTILE) * 10 ** (LOUD_DB / 20)
    return (np.flatnonzero(loud) + 1) * size


def last_loud_end(ends: NDArray[np.int64], sample: int) -> int | None:
    """The last of the ends that is not after a sample; None where there is none."""
    place = int(np.searchsorted(ends, sample, side="right"))
    return int(ends[place - 1]) if place else None
