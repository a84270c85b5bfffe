"""Converts durations of the contract to numbers, and back."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common


def seconds(duration: Duration) -> float:
    """A duration or offset in seconds, in float precision."""
    return duration.seconds + duration.nanos / 1e9


def duration(seconds: float) -> Duration:
    """A duration of so many seconds, rounded to microseconds.

    They are finer than a sample and hide float noise.
    """
    made = Duration()
    made.FromMicroseconds(round(seconds * 1e6))
    return made


def time_range(start: float, end: float) -> common.TimeRange:
    """An interval, in seconds from the recording's start; its edges as those of `duration`."""
    return common.TimeRange(start_offset=duration(start), end_offset=duration(end))
