"""Up to which frequency speech reaches, from its spectrum. Pure: no model, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maie_preprocess.engine import FRAME_SAMPLES, SAMPLE_RATE

# Telephones pass 300 to 3400 Hz, and 8 kHz of samples hold 4000; but filters and
# converters are not steep, so that a little is left above that.
NARROW_BAND_HERTZ = 4500
# What is less probably speech than this counts as noise.
_IS_NOISE = 0.1
# One frame of so many says enough of a spectrum.
_EVERY = 4
# Each band is four lines of the spectrum wide: 125 Hz.
_BAND_LINES = 4
_BANDS = FRAME_SAMPLES // 2 // _BAND_LINES
_BAND_HERTZ = SAMPLE_RATE // 2 // _BANDS
# Levels in dB that the tables tell apart.
_LEVELS = 120
# A band's level is the one that a twentieth of the frames exceed: what fricatives
# and plosives reach there, however rare they are.
_LOUDEST_SHARE = 0.05
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

    Args:
        threshold: The probability from which on a frame counts as speech.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._speech = np.zeros((_BANDS, _LEVELS), np.int64)
        self._noise = np.zeros((_BANDS, _LEVELS), np.int64)
        self._window = np.hanning(FRAME_SAMPLES).astype(np.float32)

    def add(self, samples: bytes, probabilities: Sequence[float]) -> None:
        """Takes the next samples and the probability of speech in each of their frames."""
        sound = np.frombuffer(samples, "<i2")
        whole = len(sound) // FRAME_SAMPLES
        frames = sound[: whole * FRAME_SAMPLES].reshape(whole, FRAME_SAMPLES)[::_EVERY]
        likely = np.asarray(probabilities[:whole])[::_EVERY]
        _count(self._speech, frames[likely >= self._threshold] * self._window)
        _count(self._noise, frames[likely < _IS_NOISE] * self._window)

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
        hertz = min(int(found[-1] + 1) * _BAND_HERTZ, sample_rate // 2)
        is_hidden = np.median(noise[NARROW_BAND_HERTZ // _BAND_HERTZ :]) > speech.max() - _HIDES
        is_narrow = hertz <= NARROW_BAND_HERTZ and not is_hidden
        return Bandwidth(hertz=hertz, is_narrow=is_narrow)


def _count(table: np.ndarray, frames: np.ndarray) -> None:
    lines = np.abs(np.fft.rfft(frames, axis=1)[:, 1:]) ** 2
    powers = lines.reshape(len(frames), _BANDS, _BAND_LINES).mean(axis=2)
    levels = np.clip(10 * np.log10(np.maximum(powers, 1)), 0, _LEVELS - 1).astype(np.intp)
    np.add.at(table, (np.arange(_BANDS)[np.newaxis, :], levels), 1)


def _levels(table: np.ndarray) -> np.ndarray:
    """The level of each band that its loudest frames exceed."""
    louder = table[:, ::-1].cumsum(axis=1)
    least = np.maximum(_LOUDEST_SHARE * table.sum(axis=1, keepdims=True), 1)
    return _LEVELS - 1 - np.argmax(louder >= least, axis=1)
