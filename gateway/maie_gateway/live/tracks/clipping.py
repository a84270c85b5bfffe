"""Whether live audio is clipped: samples at full scale, counted in windows."""

from __future__ import annotations

import numpy as np

from maie_core.samples import RATE

# The loudest sample of mu-law; 0.2 dB below that of 16-bit PCM.
FULL_SCALE = 32_124
WINDOW = 10 * RATE
MIN_SHARE = 1e-3
"""The share of samples at full scale from which audio counts as clipped, as in a recording."""
# A second warning soon after the first helps nobody.
QUIET = 600 * RATE


class ClippingMeter:
    """Counts the samples of one channel that are at full scale."""

    def __init__(self) -> None:
        self._length = self._clipped = 0
        self._position = self._quiet_until = 0

    def feed(self, pcm: bytes) -> float | None:
        """Takes the next audio: 16-bit little-endian PCM of 16 kHz.

        Returns:
            The share of a window's samples that are at full scale, where it is clipped and nothing
            was said for ten minutes of audio; None otherwise.
        """
        samples = np.frombuffer(pcm, "<i2")
        self._length += len(samples)
        self._position += len(samples)
        self._clipped += int(np.count_nonzero(samples >= FULL_SCALE))
        self._clipped += int(np.count_nonzero(samples <= -FULL_SCALE))
        if self._length < WINDOW:
            return None
        share = self._clipped / self._length
        self._length = self._clipped = 0
        if share < MIN_SHARE or self._position < self._quiet_until:
            return None
        self._quiet_until = self._position + QUIET
        return share
