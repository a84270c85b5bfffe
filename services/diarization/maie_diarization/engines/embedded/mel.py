"""The power of sound in mel bands, as the voice encoder was trained on it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_diarization.engine import SAMPLE_RATE, Samples

Mels = NDArray[np.float32]
"""Power in each band, of shape (frames, 40)."""

FRAME: Final = SAMPLE_RATE // 100
BANDS: Final = 40
_SIZE: Final = SAMPLE_RATE // 40
_FULL_SCALE: Final = np.float32(32768)
# The spectra of so many frames take 8 MB.
_BLOCK: Final = 4096
# Slaney's mel scale ("Auditory Toolbox", 1998), librosa's default: linear up to 1 kHz, then
# logarithmic, by 27 steps for each factor of 6.4.
_LINEAR_HZ: Final = 200 / 3
_BREAK_HZ: Final = 1000.0
_LOG_STEP: Final = np.log(6.4) / 27


def mel_power(samples: Samples) -> Mels:
    """Computes the power in each band every 10 ms, from frames of 25 ms around that time.

    As `librosa.feature.melspectrogram` with a Hann window, 40 bands and Slaney's scale.

    Args:
        samples: The sound.
    """
    count = len(samples) // FRAME + 1
    padded = np.pad(samples, (_SIZE // 2, _SIZE))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::FRAME][:count]
    power = np.empty((count, BANDS), np.float32)
    for first in range(0, count, _BLOCK):
        spectra = np.fft.rfft(frames[first : first + _BLOCK] * _WINDOW, axis=1)
        power[first : first + _BLOCK] = np.abs(spectra) ** 2 @ _FILTERS
    return power


def _mel(hertz: float) -> float:
    if hertz < _BREAK_HZ:
        return hertz / _LINEAR_HZ
    return float(_BREAK_HZ / _LINEAR_HZ + np.log(hertz / _BREAK_HZ) / _LOG_STEP)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK_HZ * np.exp((mel - _BREAK_HZ / _LINEAR_HZ) * _LOG_STEP)
    return np.where(mel < _BREAK_HZ / _LINEAR_HZ, mel * _LINEAR_HZ, above)


def _filters() -> NDArray[np.float32]:
    """Triangles of equal area over the spectrum, of shape (201, 40)."""
    edges = _hertz(np.linspace(0, _mel(SAMPLE_RATE / 2), BANDS + 2))
    bins = np.linspace(0, SAMPLE_RATE / 2, _SIZE // 2 + 1)[:, np.newaxis]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))).astype(np.float32)


_FILTERS: Final = _filters()
_WINDOW: Final = ((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_SIZE) / _SIZE)) / _FULL_SCALE).astype(
    np.float32
)
