"""How late the event loop runs what is due: blocking work in it stops all else of its process."""

from __future__ import annotations

import asyncio
import time

from opentelemetry.metrics import Meter

INTERVAL_SECONDS = 0.1
# A loop that is late by 5 ms is well, one that is late by a second stops live speech.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


async def measure_loop_lag(meter: Meter) -> None:
    """Measures for ever how late the loop wakes a task that sleeps.

    Args:
        meter: Makes `maie.loop.lag`.
    """
    lag = meter.create_histogram(
        "maie.loop.lag",
        unit="s",
        description=f"How late the event loop woke a task, sampled every {INTERVAL_SECONDS:g} s.",
        explicit_bucket_boundaries_advisory=BUCKETS,
    )
    while True:
        due = time.monotonic() + INTERVAL_SECONDS
        await asyncio.sleep(INTERVAL_SECONDS)
        lag.record(max(0.0, time.monotonic() - due))
