"""The compressed spectrum of a sound, as Distill-MOS was trained on it.

The same as the front end of Microsoft's distillmos (`distillmos.sqa`), in numpy alone.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Spectrum = NDArray[np.float32]
"""Real and imaginary parts every 10 ms, of shape (2, 161, frames)."""

_SIZE: Final = 320
_HOP: Final = 160
_PADDING: Final = (_SIZE - _HOP) // 2
# Magnitudes become their 0.3rd power: quiet parts count nearly as much as loud ones.
_POWER: Final = 0.3
_LEAST_MAGNITUDE: Final = 1e-12
# What keeps silence from being divided by 0.
_LEAST_PEAK: Final = 1e-8
# Hann's window, periodic.
_WINDOW: Final = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_SIZE) / _SIZE)


def compressed_spectrum(sound: NDArray[np.float32]) -> Spectrum:
    """The spectrum of a sound whose peak is made 1.

    Args:
        sound: The samples, -1 to 1; more than 80, and a multiple of 160.
    """
    padded = np.pad(sound / (np.abs(sound).max() + _LEAST_PEAK), _PADDING, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP]
    spectrum = np.fft.rfft(frames * _WINDOW, axis=1).T
    magnitude = np.maximum(np.abs(spectrum), _LEAST_MAGNITUDE)
    compressed = spectrum * magnitude ** (_POWER - 1)
    return np.stack([compressed.real, compressed.imag]).astype(np.float32)
