"""Whose voice a stretch of speech is: CAM++, over stretches of 1.5 s."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from maie_diarization.engine import Embedding
from maie_diarization.engines.embedded.mel import Mels

# What 3D-Speaker's diarization gives the encoder, in frames of 10 ms.
STRETCH: Final = 150
# From one stretch to the next at most.
_HOP: Final = 100
# The stretches of a call take about 100 MB.
_BATCH: Final = 4
# The power of digital silence, far below that of one step of 16 bits.
_LEAST_POWER: Final = np.float32(1e-3)


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
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        np.add.at(sums, owners[first : first + _BATCH], found)
        heartbeat()
    return list(sums / np.linalg.norm(sums, axis=1, keepdims=True))


def _stretches(mels: Mels) -> list[NDArray[np.float32]]:
    """Evenly spaced stretches, with a mean of 0 in each band; a voice of less is repeated."""
    bands = np.log(np.maximum(mels, _LEAST_POWER))
    if len(bands) < STRETCH:
        bands = np.resize(bands, (STRETCH, bands.shape[1]))
    count = 1 + -(-(len(bands) - STRETCH) // _HOP)
    starts = np.linspace(0, len(bands) - STRETCH, count).round().astype(int)
    parts = [bands[start : start + STRETCH] for start in starts.tolist()]
    return [part - part.mean(axis=0) for part in parts]
