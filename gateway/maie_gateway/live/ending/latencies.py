"""A histogram of how long finals took."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from google.protobuf.duration_pb2 import Duration

from maie.live.v1 import live_pb2 as live

# Milliseconds; the last bucket has no bound.
BOUNDS = (100, 200, 300, 400, 500, 700, 1000, 1500, 2000, 3000, 5000, 10_000)
EMPTY = (0,) * (len(BOUNDS) + 1)


def with_latency(counts: Sequence[int], latency: Duration) -> tuple[int, ...]:
    """The counts with one more."""
    place = bisect_left(BOUNDS, latency.ToNanoseconds() / 1e6)
    return (*counts[:place], counts[place] + 1, *counts[place + 1 :])


def buckets(counts: Sequence[int]) -> Iterator[live.LatencyBucket]:
    """The histogram as clients see it."""
    for bound, count in zip_longest(BOUNDS, counts):
        bucket = live.LatencyBucket(count=count)
        if bound is not None:
            bucket.up_to.FromMilliseconds(bound)
        yield bucket
