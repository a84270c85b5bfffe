"""Finds an echo: a copy of the sound that follows it after a delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples

# A shorter delay colours the sound; longer ones were not measured (s).
SHORTEST: Final = 0.05
LONGEST: Final = 1.0
# Four seconds: an echo must fit in many times.
_SIZE: Final = 1 << 16
_STEP: Final = _SIZE // 2
_LEAST_WINDOWS: Final = 3
# The power of a line of less than the least step of 16 bits is rounding.
_ROUNDING: Final = 1e-3
# By measurement (docs/quality.md): without an echo, a cepstrum has at most 12 times its usual
# values; with a sound that begins again and again, as a machine's beat, more than the most.
_LEAST: Final = 0.04
_ABOVE_OTHERS: Final = 25.0
_MOST: Final = 0.95
# The reverberation of a room has many such peaks; an echo is higher than all others so near (s).
_NEAR: Final = (0.002, 0.025)
_ABOVE_NEAR: Final = 2.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Echo:
    """A copy of the sound.

    Attributes:
        delay: When it follows the sound, in seconds.
        gain: Its amplitude, as a share of that of the sound; too small where the echo is duller
            than the sound, or noise is about as loud as the echo.
    """

    delay: float
    gain: float


def find_echo(samples: Samples) -> Echo | None:
    """The strongest echo; None where there is none, or less than 8.2 s of sound.

    The cepstrum, the spectrum of the logarithm of a power spectrum, has an echo as one sharp peak
    at its delay, as high as it is loud (Bogert, Healy and Tukey 1963).
    """
    if len(samples) < _SIZE + (_LEAST_WINDOWS - 1) * _STEP:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(samples, _SIZE)[::_STEP]
    window = np.hanning(_SIZE)
    spectrum = np.zeros(_SIZE // 2 + 1)
    for each in windows:
        spectrum += np.log(np.abs(np.fft.rfft(each * window)) ** 2 + _ROUNDING)
    cepstrum = np.fft.irfft(spectrum / len(windows))
    first = round(SHORTEST * SAMPLE_RATE)
    last = round(LONGEST * SAMPLE_RATE)
    peak = first + int(np.argmax(cepstrum[first : last + 1]))
    gain = float(cepstrum[peak])
    usual = float(np.median(np.abs(cepstrum[first : last + 1])))
    own, far = (round(each * SAMPLE_RATE) for each in _NEAR)
    near = float(
        max(cepstrum[peak - far : peak - own].max(), cepstrum[peak + own : peak + far].max())
    )
    if not max(_LEAST, _ABOVE_OTHERS * usual, _ABOVE_NEAR * near) <= gain <= _MOST:
        return None
    return Echo(delay=peak / SAMPLE_RATE, gain=gain)
