"""The interface of what runs a CTC model."""

from __future__ import annotations

import threading
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from maie_alignment.engine import Samples
from maie_alignment.engines.wav2vec2.trellis import Levels

Waveform = NDArray[np.float32]
"""Audio, of shape (samples,)."""

_FULL_SCALE: Final = np.float32(32768)
# As transformers' Wav2Vec2FeatureExtractor.
_EPSILON: Final = np.float32(1e-7)


class CtcModel(Protocol):
    """Says for each frame of audio which symbol is spoken.

    Attributes:
        library: The software and its version.
        device: Where it runs: `cpu`, `cuda` or `mps`.
        compute_type: What it computes with, such as `float32` or `int8`.
        parameters: What else of its settings matters.
        columns: The number of symbols; 0 where the model does not say it.
        vram_bytes: The GPU memory of its weights; 0 on a CPU.
    """

    library: str
    device: str
    compute_type: str
    parameters: dict[str, str]
    columns: int
    vram_bytes: int

    def run(self, waveform: Waveform, stopped: threading.Event) -> NDArray[np.float32]:
        """Runs it. Blocks.

        Args:
            waveform: The audio.
            stopped: Set when nobody waits any more.

        Returns:
            Logits or log probabilities, of shape (frames, columns).
        """
        ...


def waveform(samples: Samples, *, normalise: bool) -> Waveform:
    """Samples as models take them."""
    made: Waveform = samples.astype(np.float32) / _FULL_SCALE
    if normalise and len(made):
        made = (made - made.mean()) / np.sqrt(made.var() + _EPSILON)
    return made


def log_probabilities(logits: NDArray[np.float32]) -> Levels:
    """What a model says, as logarithms of probabilities that add up to 1."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    made: Levels = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return made
