"""Finds mains hum: lines at 50 or 60 Hz and their multiples that stay all the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_quality.signals.levels import FULL_SCALE, decibels
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples

MAINS_HERTZ: Final = (50, 60)
# Of each line, at most this many multiples are looked for: 400 and 480 Hz.
_MULTIPLES: Final = 8
# A second has a line for each hertz.
_SIZE: Final = SAMPLE_RATE
_STEP: Final = SAMPLE_RATE // 2
_LEAST_WINDOWS: Final = 4
# The voice passes; hum is there in the quietest tenth of all windows, too.
_QUIET: Final = 10
# A line is so far above what is beside it (dB), which lies at this distance (Hz).
_ABOVE: Final = 15.0
_BESIDE: Final = (4, 12)
# So many lines of this level make hum, and less than the other one cannot be heard (dBFS).
_LEAST_LINES: Final = 2
_LEAST_LINE: Final = -90.0
_LEAST_LEVEL: Final = -80.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Hum:
    """Mains hum.

    Attributes:
        hertz: The frequency of the mains, 50 or 60.
        level: Its level in dBFS, with its multiples; up to 8 dB too low where a voice is much
            louder.
    """

    hertz: int
    level: float


def find_hum(samples: Samples) -> Hum | None:
    """The stronger hum of the two; None where there is none, or less than 2.5 s of sound."""
    if len(samples) < _SIZE + (_LEAST_WINDOWS - 1) * _STEP:
        return None
    spectrum = _quiet_spectrum(samples)
    found = [hum for hertz in MAINS_HERTZ if (hum := _hum(spectrum, hertz)) is not None]
    return max(found, key=lambda hum: hum.level, default=None)


def _quiet_spectrum(samples: Samples) -> NDArray[np.float64]:
    """The power of each hertz in the quiet windows, up to the last multiple and what is beside."""
    highest = max(MAINS_HERTZ) * _MULTIPLES + _BESIDE[1] + 2
    windows = np.lib.stride_tricks.sliding_window_view(samples, _SIZE)[::_STEP]
    window = np.hanning(_SIZE)
    # A sine of amplitude 1, whose power is a half, has that much in its line.
    scale = 2 / window.sum() ** 2
    powers = [
        np.abs(np.fft.rfft(each / FULL_SCALE * window)[:highest]) ** 2 * scale for each in windows
    ]
    return np.asarray(np.percentile(np.asarray(powers), _QUIET, axis=0))


def _hum(spectrum: NDArray[np.float64], hertz: int) -> Hum | None:
    near, far = _BESIDE
    lines = []
    for line in range(hertz, hertz * _MULTIPLES + 1, hertz):
        # Mains drift by some tenths of a hertz.
        power = float(spectrum[line - 1 : line + 2].max())
        beside = [spectrum[line - far : line - near], spectrum[line + near : line + far]]
        around = float(np.median(np.concatenate(beside)))
        if power > max(around * 10 ** (_ABOVE / 10), 10 ** (_LEAST_LINE / 10)):
            lines.append(power)
    level = decibels(sum(lines))
    if len(lines) < _LEAST_LINES or level is None or level < _LEAST_LEVEL:
        return None
    return Hum(hertz=hertz, level=level)
