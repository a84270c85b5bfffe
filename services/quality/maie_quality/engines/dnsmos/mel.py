"""The sound in mel bands, as the model of DNSMOS for P.808 was trained on it.

The same as `librosa.feature.melspectrogram` and `power_to_db` with the arguments of Microsoft's
DNSMOS, in numpy alone.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_speech.frames import SAMPLE_RATE

Mels = NDArray[np.float32]
"""Level in each band, about -1 to 1, of shape (frames, 120)."""

BANDS: Final = 120
_SIZE: Final = 321
_HOP: Final = 160
# Levels are relative to the loudest band of all frames, and none is lower than this (dB).
_RANGE: Final = 80.0
_LEAST_POWER: Final = 1e-10
# Slaney's mel scale: linear up to 1000 Hz, and logarithmic above.
_HERTZ_PER_MEL: Final = 200.0 / 3
_BREAK_HERTZ: Final = 1000.0
_BREAK_MEL: Final = _BREAK_HERTZ / _HERTZ_PER_MEL
_LOG_STEP: Final = np.log(6.4) / 27


def mel_levels(sound: NDArray[np.float32]) -> Mels:
    """The level in each band every 10 ms.

    Args:
        sound: The samples, -1 to 1; at least one.
    """
    padded = np.pad(sound, _SIZE // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP]
    power = (np.abs(np.fft.rfft(frames * _WINDOW, axis=1)) ** 2) @ _FILTERS
    loudness = 10 * np.log10(np.maximum(power, _LEAST_POWER))
    loudness -= max(loudness.max(), 10 * np.log10(_LEAST_POWER))
    return ((np.maximum(loudness, -_RANGE) + 40) / 40).astype(np.float32)


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK_MEL + np.log(np.maximum(hertz, _BREAK_HERTZ) / _BREAK_HERTZ) / _LOG_STEP
    return np.where(hertz < _BREAK_HERTZ, hertz / _HERTZ_PER_MEL, above)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK_HERTZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _HERTZ_PER_MEL, above)


def _filters() -> NDArray[np.float64]:
    """Triangles of equal area over the spectrum, of shape (161, 120)."""
    nyquist = SAMPLE_RATE / 2
    edges = _hertz(np.linspace(0.0, float(_mel(np.array(nyquist))), BANDS + 2))
    # The transform has an odd size, so its last frequency is below half of the sample rate.
    bins = np.fft.rfftfreq(_SIZE, 1 / SAMPLE_RATE)[:, np.newaxis]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles: NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling))
    return triangles * (2.0 / (edges[2:] - edges[:-2]))


_FILTERS: Final = _filters()
# Hann's window, periodic.
_WINDOW: Final = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_SIZE) / _SIZE)
