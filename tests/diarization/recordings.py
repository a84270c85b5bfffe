"""Recordings of one and of two voices, and what is made of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import av
import numpy as np

from maie_diarization.engine import SAMPLE_RATE, Samples, SpeechRange
from maie_diarization.engines.embedded import EmbeddedEngine

SAMPLES = Path(__file__).parents[2] / "samples"
TELEPHONE_HERTZ = (300, 3400)


@cache
def reading() -> Samples:
    """Half a minute of one real voice."""
    return _decoded("reading.flac")


@cache
def standup() -> Samples:
    """Two synthetic voices in turn."""
    return _decoded("standup.flac")


@cache
def engine() -> EmbeddedEngine:
    """The engine; it is the same for all tests, as nothing is kept between calls."""
    return EmbeddedEngine.load()


def noisy(samples: Samples, ratio_db: float) -> Samples:
    """Adds white noise.

    Args:
        samples: Speech.
        ratio_db: The power of all samples over that of the noise, in dB.
    """
    sound = samples.astype(np.float64)
    level = np.sqrt(np.mean(sound**2) / 10 ** (ratio_db / 10))
    noise = np.random.default_rng(1).normal(0, level, len(sound))
    return np.clip(np.round(sound + noise), -32768, 32767).astype(np.int16)


def by_telephone(samples: Samples) -> Samples:
    """The band of a telephone."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[(hertz < TELEPHONE_HERTZ[0]) | (hertz > TELEPHONE_HERTZ[1])] = 0
    return np.round(np.fft.irfft(spectrum, len(samples))).astype(np.int16)


def everything(samples: Samples) -> list[SpeechRange]:
    """All of a recording as speech."""
    return [SpeechRange(start=0, end=len(samples))]


def part(samples: Samples, start: float, end: float) -> Samples:
    """A part of a recording, in seconds."""
    return samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


def _decoded(name: str) -> Samples:
    with av.open(str(SAMPLES / name)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1)[0].astype(np.int16)
