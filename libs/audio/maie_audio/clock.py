"""Finds gaps by the times of packets. Runs in the decoding process."""

from __future__ import annotations

from typing import Final

# Times are rounded, and those of a browser jitter. Smaller deviations add up until they
# count.
TOLERANCE_SECONDS: Final = 0.04


class Clock:
    """The time of a stream.

    Args:
        sample_rate: Of its times, in hertz.
        following: Where the next packet is expected; None to take its time as it is.
    """

    def __init__(self, sample_rate: int, following: int | None = None) -> None:
        self._tolerance = round(TOLERANCE_SECONDS * sample_rate)
        self.following = following

    def gap(self, start: int | None, samples: int) -> int:
        """Places the next packet, and gives the length of the gap before it, in samples.

        A clock that was set back is followed: the sound goes on without a gap.
        """
        expected = self.following if self.following is not None else start
        if expected is None:
            return 0
        shift = start - expected if start is not None else 0
        moved = shift if abs(shift) > self._tolerance else 0
        self.following = expected + moved + samples
        return max(moved, 0)
