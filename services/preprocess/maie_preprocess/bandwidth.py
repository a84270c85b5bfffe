"""Measures the bandwidth of speech from its spectrum. Pure: no model, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maie_speech.band import BAND_HERTZ, BANDS, LOUDEST_SHARE, NARROW_BAND_HERTZ, Levels
from maie_speech.finder import Thresholds

# The number of levels in the tables, 1 dB apart.
_LEVELS = 120
# Speech is above the noise by this much (dB), and this close to the loudest band: a
# converter's hiss is lower, fricatives are higher.
_ABOVE_NOISE = 5
_BELOW_PEAK = 45
# Noise this close to the loudest band (dB) masks speech.
_HIDES = 28
# The least frames for a measurement: half a second of speech, a second of noise.
_MIN_SPEECH_FRAMES = 4
_MIN_NOISE_FRAMES = 8


@dataclass(kw_only=True, frozen=True, slots=True)
class Bandwidth:
    """The bandwidth of speech.

    Attributes:
        hertz: Its highest frequency above the noise, in steps of 125 Hz.
        is_narrow: Whether it is limited to telephone band, and not only masked
            by noise above it.
    """

    hertz: int
    is_narrow: bool


class SpeechBandwidth:
    """Counts the levels of each band of the spectrum, in speech and in pauses.

    Memory does not grow with the recording.
    """

    def __init__(self) -> None:
        self._speech = np.zeros((BANDS, _LEVELS), np.int64)
        self._noise = np.zeros((BANDS, _LEVELS), np.int64)

    def add(
        self, levels: Levels, probabilities: Sequence[float], thresholds: Sequence[Thresholds]
    ) -> None:
        """Adds the next frames.

        Args:
            levels: The level of each band in each frame; see `band_levels`.
            probabilities: The probability of speech in each frame.
            thresholds: For each frame, the least probability of speech and the most of noise.
        """
        pairs = list(zip(probabilities, thresholds, strict=True))
        _count(self._speech, levels[[likely >= each.begin for likely, each in pairs]])
        _count(self._noise, levels[[likely < each.end for likely, each in pairs]])

    def measure(self, sample_rate: int) -> Bandwidth | None:
        """The bandwidth of the speech so far; None without speech.

        Args:
            sample_rate: The recording's sample rate in hertz, twice the highest bandwidth.
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
    """The level that the loudest frames of each band exceed."""
    louder = table[:, ::-1].cumsum(axis=1)
    least = np.maximum(LOUDEST_SHARE * table.sum(axis=1, keepdims=True), 1)
    return _LEVELS - 1 - np.argmax(louder >= least, axis=1)
