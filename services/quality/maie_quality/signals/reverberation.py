"""Estimates how long a room's sound takes to fade, from the decays within speech."""

from __future__ import annotations

from typing import Final

import numpy as np

from maie_quality.signals.levels import FRAMES_PER_SECOND, Powers

# A decay is measured over so many frames.
_FRAMES: Final = 16
# No sound fades faster than the room lets it: the fastest decays, of which there is this
# percentage, are those of the room.
_FASTEST: Final = 2
# In less sound there are too few decays.
_LEAST_FRAMES: Final = 5 * FRAMES_PER_SECOND
_SILENCE: Final = 1e-12
# A longer time is more likely noise that stays.
_LONGEST: Final = 5.0


def find_reverberation(powers: Powers) -> float | None:
    """The seconds in which sound fades by 60 dB; None for less than 5 s, or where nothing fades.

    Of readers in simulated rooms with 0.4 to 1.0 s it is right within a factor of 1.6, and too
    short for longer ones (docs/quality.md). Noise hides decays: do not believe it where noise is
    close to the speech.

    Args:
        powers: The powers of the frames of a sound with speech.
    """
    if len(powers) < _LEAST_FRAMES:
        return None
    levels = 10 * np.log10(powers + _SILENCE)
    windows = np.lib.stride_tricks.sliding_window_view(levels, _FRAMES)
    time = (np.arange(_FRAMES) - (_FRAMES - 1) / 2) / FRAMES_PER_SECOND
    slopes = windows @ time / (time @ time)
    fastest = -float(np.percentile(slopes, _FASTEST))
    return 60 / fastest if fastest > 60 / _LONGEST else None
