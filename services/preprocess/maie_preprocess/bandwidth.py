"""Up to which frequency speech reaches, from its spectrum. Pure: no model, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maie_speech.band import BAND_HERTZ, BANDS, LOUDEST_SHARE, NARROW_BAND_HERTZ, Levels
from maie_speech.finder import Thresholds

# Levels in dB that the tables tell apart.
_LEVELS = 120
# Where speech is, it is above the noise by this much (dB), and this close to the
# loudest band: hiss that a converter adds lies deeper, fricatives lie higher.
_ABOVE_NOISE = 5
_BELOW_PEAK = 45
# Noise that is this close to the loudest band (dB) hides whatever speech there is.
_HIDES = 28
# Fewer frames of speech (half a second's) or of noise (a second's) prove nothing.
_MIN_SPEECH_FRAMES = 4
_MIN_NOISE_FRAMES = 8


@dataclass(kw_only=True, frozen=True, slots=True)
class Bandwidth:
    """The bandwidth of speech.

    Attributes:
        hertz: The highest frequency that it has above the noise, in steps of 125 Hz.
        is_narrow: Whether it ends where a telephone's does, and not because noise
            hides the rest.
    """

    hertz: int
    is_narrow: bool


class SpeechBandwidth:
    """Counts how loud each band of the spectrum is, in speech and in pauses.

    Memory does not grow with the recording.
    """

    def __init__(self) -> None:
        self._speech = np.zeros((BANDS, _LEVELS), np.int64)
        self._noise = np.zeros((BANDS, _LEVELS), np.int64)

    def add(
        self, levels: Levels, probabilities: Sequence[float], thresholds: Sequence[Thresholds]
    ) -> None:
        """Takes the next frames.

        Args:
            levels: How loud each band is in them, as `band_levels` has it.
            probabilities: How likely somebody speaks in each of them.
            thresholds: From which probability on each counts as speech, and below which as noise.
        """
        pairs = list(zip(probabilities, thresholds, strict=True))
        _count(self._speech, levels[[likely >= each.begin for likely, each in pairs]])
        _count(self._noise, levels[[likely < each.end for likely, each in pairs]])

    def measure(self, sample_rate: int) -> Bandwidth | None:
        """What speech there was so far says; None where nobody speaks.

        Args:
            sample_rate: The recording's own, in hertz: it holds no more than half of that.
        """
        if self._speech[0].sum() < _MIN_SPEECH_FRAMES:
            return None
        speech = _levels(self._speech)
        noise = np.zeros_like(speech)
        if self._noise[0].sum() >= _MIN_NOISE_FRAMES:
            noise = _levels(self._noise)
        has_speech = (speech >= speech.max() - _BELOW_PEAK) & (speech >= noise + _ABOVE_NOISE)
        found = np.flatnonzero(has_speech)
        if not len(found):
            return None
        hertz = min(int(found[-1] + 1) * BAND_HERTZ, sample_rate // 2)
        is_hidden = np.median(noise[NARROW_BAND_HERTZ // BAND_HERTZ :]) > speech.max() - _HIDES
        is_narrow = hertz <= NARROW_BAND_HERTZ and not is_hidden
        return Bandwidth(hertz=hertz, is_narrow=is_narrow)


def _count(table: np.ndarray, levels: Levels) -> None:
    steps = np.minimum(levels, _LEVELS - 1).astype(np.intp)
    np.add.at(table, (np.arange(BANDS)[np.newaxis, :], steps), 1)


def _levels(table: np.ndarray) -> np.ndarray:
    """The level of each band that its loudest frames exceed."""
    louder = table[:, ::-1].cumsum(axis=1)
    least = np.maximum(LOUDEST_SHARE * table.sum(axis=1, keepdims=True), 1)
    return _LEVELS - 1 - np.argmax(louder >= least, axis=1)
