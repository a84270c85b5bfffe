"""Levels of speech and noise, and of any part of a sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples, SpeechRange

FRAME: Final = SAMPLE_RATE // 100
FRAMES_PER_SECOND: Final = 100
FULL_SCALE: Final = 32768.0
# The last sound of a word fades, and the next begins early: so much beside speech is no noise (s).
_MARGIN: Final = 0.1

Powers = NDArray[np.float64]
"""The mean power of each frame of 10 ms, of shape (frames,); full scale is 1."""


def frame_powers(samples: Samples) -> Powers:
    """The power of each whole frame."""
    whole = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    return np.asarray((whole / FULL_SCALE) ** 2).mean(axis=1)


@dataclass(kw_only=True, frozen=True, slots=True)
class Levels:
    """The mean powers of speech and of pauses; full scale is 1.

    Attributes:
        speech: The speech, with the noise in it.
        speech_seconds: How long that is.
        noise: The pauses.
        noise_seconds: How long these are.
    """

    speech: float
    speech_seconds: float
    noise: float
    noise_seconds: float


def speech_levels(powers: Powers, speech: Sequence[SpeechRange]) -> Levels:
    """Measures speech and pauses.

    Args:
        powers: The powers of the frames.
        speech: The speech, in samples.
    """
    spoken = np.zeros(len(powers), bool)
    near = np.zeros(len(powers), bool)
    margin = round(_MARGIN * FRAMES_PER_SECOND)
    for each in speech:
        first, last = each.start // FRAME, -(-each.end // FRAME)
        spoken[first:last] = True
        near[max(0, first - margin) : last + margin] = True
    pauses = powers[~near]
    said = powers[spoken]
    return Levels(
        speech=float(said.mean()) if len(said) else 0.0,
        speech_seconds=len(said) / FRAMES_PER_SECOND,
        noise=float(pauses.mean()) if len(pauses) else 0.0,
        noise_seconds=len(pauses) / FRAMES_PER_SECOND,
    )


def decibels(power: float) -> float | None:
    """A power in dBFS; None for none."""
    return 10 * float(np.log10(power)) if power > 0 else None
