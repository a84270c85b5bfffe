"""The peaks of sound, to be drawn."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from maie_audio.formats import SAMPLE_RATE

PEAK_SAMPLES: Final = SAMPLE_RATE // 10
"""How many samples a peak is of: 100 ms. Ten hours are 360 kB."""
_FULL_SCALE: Final = 2**15
_HIGHEST: Final = 255

Samples = np.ndarray[Any, np.dtype[np.int16]]


class Peaks:
    """Collects the peaks of sound of 16 kHz, mono, 16-bit, as it comes.

    A peak is a byte: the square root of the highest absolute sample, as a share of full scale, by
    255. The square root gives quiet sound the most steps: the least sample above silence is 1.
    """

    def __init__(self) -> None:
        self._peaks = bytearray()
        self._rest: Samples = np.zeros(0, np.int16)

    def add(self, samples: Samples) -> None:
        """Adds the next samples, any number of them."""
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // PEAK_SAMPLES * PEAK_SAMPLES
        self._peaks += _peaks(sound[:whole].reshape(-1, PEAK_SAMPLES))
        self._rest = sound[whole:]

    def finish(self) -> bytes:
        """The peaks of all samples; the last may be of fewer than `PEAK_SAMPLES`."""
        if len(self._rest):
            self._peaks += _peaks(self._rest[np.newaxis])
        self._rest = self._rest[:0]
        return bytes(self._peaks)


def loudest(rows: list[bytes]) -> bytes:
    """The highest peak of several sounds at each time; the shorter ones end in silence."""
    longest = max(map(len, rows), default=0)
    padded = [np.frombuffer(row.ljust(longest, b"\0"), np.uint8) for row in rows]
    return np.max(padded, axis=0, initial=0).tobytes() if padded else b""


def _peaks(rows: Samples) -> bytes:
    if not len(rows):
        return b""
    # Both ends separately: the absolute value of the lowest integer overflows.
    highest = np.maximum(rows.max(axis=1), -rows.min(axis=1).astype(np.int32))
    return np.rint(_HIGHEST * np.sqrt(highest / _FULL_SCALE)).astype(np.uint8).tobytes()
