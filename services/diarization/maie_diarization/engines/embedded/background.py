"""Tells speech from the murmur behind it, such as that of a crowd, by its power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from maie_diarization.engines.embedded.mel import Mels

# Frames over which the power is smoothed, so that the gaps between sounds are no background.
_SMOOTH: Final = 30
# The background is the softest twentieth of a chunk, and the foreground the loudest.
_SOFT_PERCENT: Final = 5
_LOUD_PERCENT: Final = 95
# Murmur is at most 4 dB above the background and at least 15 dB below the foreground. A chunk
# without pauses has a loud background, and one without noise a soft one. By measurement: at 20 dB
# under speech, all murmur of twelve voices is within these, and no soft voice of a meeting is.
_ABOVE_SOFT: Final = 10**0.4
_BELOW_LOUD: Final = 10**-1.5


@dataclass(kw_only=True, frozen=True, slots=True)
class Background:
    """The level of what nobody means to record.

    Attributes:
        power: Speech of less power is background.
    """

    power: float

    def is_murmur(self, mels: Mels) -> bool:
        """Whether the sound of some frames is background; that of no frames is."""
        return not len(mels) or float(mels.sum(axis=1).mean()) < self.power


def background(mels: Mels) -> Background:
    """Measures a chunk."""
    power = np.convolve(mels.sum(axis=1), np.full(_SMOOTH, 1 / _SMOOTH), "same")
    soft, loud = np.percentile(power, [_SOFT_PERCENT, _LOUD_PERCENT])
    return Background(power=float(min(soft * _ABOVE_SOFT, loud * _BELOW_LOUD)))
