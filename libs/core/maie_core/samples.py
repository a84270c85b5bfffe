"""Places in a track, in samples of 16 kHz, which are exact in nanoseconds."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

RATE = 16_000
SAMPLE_BYTES = 2
SAMPLE_NANOSECONDS = 1_000_000_000 // RATE


def samples(duration: Duration) -> int:
    """The number of samples in a duration, rounded to the nearest."""
    return round(duration.ToNanoseconds() / SAMPLE_NANOSECONDS)


def duration(count: int) -> Duration:
    """How long so many samples last, exactly."""
    return nanoseconds(count * SAMPLE_NANOSECONDS)


def nanoseconds(count: int) -> Duration:
    """A duration of so many nanoseconds."""
    made = Duration()
    made.FromNanoseconds(count)
    return made
