"""Durations of the contract as plain numbers."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration


def seconds(duration: Duration) -> float:
    """A duration or offset in seconds, to the nanosecond, as far as a float can say it."""
    return duration.seconds + duration.nanos / 1e9
