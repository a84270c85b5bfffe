"""Whether sound is in the narrow band of a telephone, of which Silero is seldom sure. Pure."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from maie_speech.frames import FRAME_SAMPLES, SAMPLE_RATE

# Telephones pass 300 to 3400 Hz, and 8 kHz of samples hold 4000; but filters and
# converters are not steep, so that a little is left above that.
NARROW_BAND_HERTZ: Final = 4500
# Each band is four lines of the spectrum wide: 125 Hz.
_BAND_LINES = 4
BANDS: Final = FRAME_SAMPLES // 2 // _BAND_LINES
BAND_HERTZ: Final = SAMPLE_RATE // 2 // BANDS
EVERY: Final = 4
"""One frame of so many says enough of a spectrum."""
# A band's level is the one that a twentieth of the frames exceed: what fricatives
# and plosives reach there, however rare they are.
LOUDEST_SHARE: Final = 0.05
# Above the narrow band, speech of full width nearly always comes closer to the loudest band,
# within two seconds, and all noise does; a telephone's mu-law stays 49 below (docs/accuracy.md).
_BELOW_PEAK = 44
# Two seconds that are judged together, in rows of `Levels`.
_BLOCK_ROWS = 16
_WINDOW = np.hanning(FRAME_SAMPLES).astype(np.float32)

Levels = NDArray[Any]
"""Levels in dB of shape (..., bands), from the lowest band up."""


def band_levels(samples: NDArray[np.int16]) -> Levels:
    """How loud each band of 125 Hz is, in every fourth whole frame: that says enough.

    Args:
        samples: Samples at 16 kHz, mono.

    Returns:
        Levels of shape (frames, bands): 0 or more, and near 110 at full scale.
    """
    whole = len(samples) // FRAME_SAMPLES
    frames = samples[: whole * FRAME_SAMPLES].reshape(whole, FRAME_SAMPLES)[::EVERY]
    lines = np.abs(np.fft.rfft(frames * _WINDOW, axis=1)[:, 1:]) ** 2
    powers = lines.reshape(len(frames), BANDS, _BAND_LINES).mean(axis=2)
    return 10 * np.log10(np.maximum(powers, 1))


class BandWatch:
    """Detects which parts of a recording are in the narrow band, two seconds at a time.

    The two seconds before count as well, on the side of the narrow band: taking sound of full
    width for narrow costs nothing, and the other way round loses words.
    """

    def __init__(self) -> None:
        self._was_narrow = False

    def feed(self, levels: Levels, frames: int) -> list[bool]:
        """Takes the next part of the recording.

        Args:
            levels: What `band_levels` says of it. A whole number of blocks of two seconds, 64
                frames, but for the last call of a recording.
            frames: How many frames it has, the last of which may be cut short.

        Returns:
            Whether it is in the narrow band, for each frame.
        """
        found: list[bool] = []
        for start in range(0, len(levels), _BLOCK_ROWS):
            is_narrow = _is_narrow(levels[start : start + _BLOCK_ROWS])
            found += [is_narrow or self._was_narrow] * (_BLOCK_ROWS * EVERY)
            self._was_narrow = is_narrow
        last = found[-1] if found else self._was_narrow
        return found[:frames] + [last] * (frames - len(found))


class OnlineBand:
    """Tells of each frame, when it comes, whether a track is in the narrow band.

    It judges by the two seconds that end with the frame and by the two seconds before, on the side
    of the narrow band, as `BandWatch` does; at the beginning, by what has come.
    """

    def __init__(self) -> None:
        self._levels = np.zeros((_BLOCK_ROWS, BANDS))
        # Of the two seconds that ended with each of the last frames that were judged.
        self._found: deque[bool] = deque(maxlen=_BLOCK_ROWS + 1)
        self._judged = 0
        self._frame = 0
        self._narrow = False

    def feed(self, samples: NDArray[np.int16]) -> list[bool]:
        """Takes the next samples: a whole number of frames.

        Returns:
            Whether each frame is in the narrow band.
        """
        found = []
        for start in range(0, len(samples), FRAME_SAMPLES):
            if self._frame % EVERY == 0:
                self._judge(samples[start : start + FRAME_SAMPLES])
            self._frame += 1
            found.append(self._narrow)
        return found

    def _judge(self, frame: NDArray[np.int16]) -> None:
        self._levels[self._judged % _BLOCK_ROWS] = band_levels(frame)[0]
        self._judged += 1
        self._found.append(_is_narrow(self._levels[: self._judged]))
        before = self._judged > _BLOCK_ROWS and self._found[0]
        self._narrow = self._found[-1] or before


def _is_narrow(levels: Levels) -> bool:
    loudest = _loudest(levels)
    above = loudest[NARROW_BAND_HERTZ // BAND_HERTZ :]
    return bool(above.max() < loudest.max() - _BELOW_PEAK)


def _loudest(levels: Levels) -> Levels:
    """The level of each band that `LOUDEST_SHARE` of the rows exceed.

    As `np.quantile`, which takes five times as long for so few rows.
    """
    place = (1 - LOUDEST_SHARE) * (len(levels) - 1)
    below = int(place)
    rows = np.sort(levels, axis=0)
    upper = rows[min(below + 1, len(rows) - 1)]
    found: Levels = rows[below] + (upper - rows[below]) * (place - below)
    return found
