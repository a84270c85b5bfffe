"""The power of sound in mel bands, as the voice encoder was trained on it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_diarization.engine import SAMPLE_RATE, Samples

Mels = NDArray[np.float32]
"""Power in each band, of shape (frames, 80)."""

FRAME: Final = SAMPLE_RATE // 100
BANDS: Final = 80
_SIZE: Final = SAMPLE_RATE // 40
_SPECTRUM: Final = 512
_LOW_HZ: Final = 20.0
_EMPHASIS: Final = np.float32(0.97)
# The spectra of so many frames take 8 MB.
_BLOCK: Final = 4096


def mel_power(samples: Samples) -> Mels:
    """Computes the power in each band every 10 ms, from frames of 25 ms around that time.

    As Kaldi's filter banks (`compute-fbank-feats`) before the logarithm: without offset, higher
    frequencies emphasised, Povey's window, 80 bands from 20 Hz on.

    Args:
        samples: The sound.
    """
    count = len(samples) // FRAME + 1
    padded = np.pad(samples, (_SIZE // 2, _SIZE))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::FRAME][:count]
    power = np.empty((count, BANDS), np.float32)
    for first in range(0, count, _BLOCK):
        block = frames[first : first + _BLOCK].astype(np.float32)
        block -= block.mean(axis=1, keepdims=True)
        before = np.concatenate([block[:, :1], block[:, :-1]], axis=1)
        spectra = np.fft.rfft((block - _EMPHASIS * before) * _WINDOW, _SPECTRUM, axis=1)
        power[first : first + _BLOCK] = (np.abs(spectra) ** 2).astype(np.float32) @ _FILTERS
    return power


def _mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def _filters() -> NDArray[np.float32]:
    """Triangles over the spectrum, evenly spaced in mel, of shape (257, 80)."""
    edges = np.linspace(_mel(_LOW_HZ), _mel(SAMPLE_RATE / 2), BANDS + 2)
    bins = _mel(np.linspace(0, SAMPLE_RATE / 2, _SPECTRUM // 2 + 1))[:, np.newaxis]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


_FILTERS: Final = _filters()
# Povey's window: Hann's, to the power of 0.85.
_WINDOW: Final = (np.hanning(_SIZE) ** 0.85).astype(np.float32)
