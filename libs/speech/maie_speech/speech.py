"""The audio of one chunk and its speech, in plain types."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maie_speech.frames import SAMPLE_RATE

Samples = NDArray[np.int16]
"""Mono audio at 16 kHz, of shape (samples,)."""


@dataclass(kw_only=True, frozen=True, slots=True)
class SpeechRange:
    """A range of speech, in samples; `end` is exclusive."""

    start: int
    end: int


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Speech:
    """The audio of one chunk and its speech ranges.

    Attributes:
        samples: The audio, pauses included.
        ranges: The speech, in order and without overlap.
    """

    samples: Samples
    ranges: tuple[SpeechRange, ...]

    @property
    def seconds(self) -> float:
        """The length of the audio."""
        return len(self.samples) / SAMPLE_RATE
