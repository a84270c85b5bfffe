"""Whose voice a stretch of speech is: the encoder of Resemblyzer, over stretches of 1.6 s."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from maie_diarization.engine import Embedding
from maie_diarization.engines.embedded.mel import Mels

# What the encoder was trained on, in frames of 10 ms.
STRETCH: Final = 160
# From one stretch to the next at most.
_HOP: Final = 100
_BATCH: Final = 32
# The encoder depends on the level: all voices have the power, in all bands together, of speech at
# -26 dB of full scale.
LEVEL: Final = 1.04


def embed(
    model: onnxruntime.InferenceSession, speech: Sequence[Mels], heartbeat: Callable[[], None]
) -> list[Embedding]:
    """Embeds voices.

    Args:
        model: The encoder.
        speech: For each voice the frames in which it alone speaks; at least one.
        heartbeat: Called for every few stretches.

    Returns:
        The mean embedding of each voice's stretches.
    """
    stretches = [_stretches(mels) for mels in speech]
    owners = np.repeat(np.arange(len(speech)), [len(each) for each in stretches])
    pending = [each for voice in stretches for each in voice]
    sums = np.zeros((len(speech), model.get_outputs()[0].shape[1]), np.float32)
    for first in range(0, len(pending), _BATCH):
        (found,) = model.run(None, {"mels": np.stack(pending[first : first + _BATCH])})
        np.add.at(sums, owners[first : first + _BATCH], found)
        heartbeat()
    return list(sums / np.linalg.norm(sums, axis=1, keepdims=True))


def _stretches(mels: Mels) -> list[NDArray[np.float32]]:
    """Evenly spaced stretches at one level; a voice of less is repeated."""
    power = max(float(mels.sum(axis=1).mean()), float(np.finfo(np.float32).tiny))
    mels = mels * np.float32(LEVEL / power)
    if len(mels) < STRETCH:
        mels = np.resize(mels, (STRETCH, mels.shape[1]))
    count = 1 + -(-(len(mels) - STRETCH) // _HOP)
    starts = np.linspace(0, len(mels) - STRETCH, count).round().astype(int)
    return [mels[start : start + STRETCH] for start in starts.tolist()]
