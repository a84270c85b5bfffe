"""Converts durations of the contract to numbers."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration


def seconds(duration: Duration) -> float:
    """A duration or offset in seconds, in float precision."""
    return duration.seconds + duration.nanos / 1e9
