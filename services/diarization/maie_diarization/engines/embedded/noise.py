"""Takes the noise of a recording out of the power of its mel bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_diarization.engine import SpeechRange
from maie_diarization.engines.embedded.mel import FRAME, Mels

# With fewer frames without speech, the softest frames of each band are the noise.
_LEAST_FRAMES: Final = 50
_SOFTEST_PERCENT: Final = 5
# The mean of noise over its softest twentieth, in bands of this width. By measurement.
_MEAN_OVER_SOFTEST: Final = 1.5
# What is left of the noise, as a share of its power: none at all sounds like no recording.
_LEFT: Final = 0.1


def cleaned(mels: Mels, speech: Sequence[SpeechRange]) -> Mels:
    """Subtracts the mean power of the noise from each band.

    Source: Boll, "Suppression of acoustic noise in speech using spectral subtraction" (1979).

    Args:
        mels: The power of a chunk.
        speech: Its speech; what is outside is noise.
    """
    noise = _noise(mels, speech)
    return np.maximum(mels - noise, np.float32(_LEFT) * noise)


def _noise(mels: Mels, speech: Sequence[SpeechRange]) -> NDArray[np.float32]:
    """The mean power of the noise in each band."""
    quiet = np.ones(len(mels), np.bool_)
    for each in speech:
        quiet[each.start // FRAME : -(-each.end // FRAME) + 1] = False
    if np.count_nonzero(quiet) >= _LEAST_FRAMES:
        return np.asarray(mels[quiet].mean(axis=0), np.float32)
    softest = np.percentile(mels, _SOFTEST_PERCENT, axis=0) * _MEAN_OVER_SOFTEST
    return softest.astype(np.float32)
