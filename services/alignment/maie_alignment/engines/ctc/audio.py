"""Audio as CTC models take it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_alignment.engine import SAMPLE_RATE, Samples

Waveform = NDArray[np.float32]
"""Audio, of shape (samples,)."""

# wav2vec2, HuBERT, WavLM and the model of hama say something each 20 ms.
FRAME_SECONDS: Final = 0.02
FRAME_SAMPLES: Final = round(FRAME_SECONDS * SAMPLE_RATE)
_FULL_SCALE: Final = np.float32(32768)
# As transformers' Wav2Vec2FeatureExtractor.
_EPSILON: Final = np.float32(1e-7)


def waveform(samples: Samples, *, normalise: bool) -> Waveform:
    """Samples as models take them."""
    made: Waveform = samples.astype(np.float32) / _FULL_SCALE
    if normalise and len(made):
        made = (made - made.mean()) / np.sqrt(made.var() + _EPSILON)
    return made
