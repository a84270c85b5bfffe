"""The engine `distillmos` gives what Microsoft's own library gives."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from maie_quality.engines.distillmos import WINDOW, DistillMosEngine
from maie_quality.engines.distillmos.spectrum import compressed_spectrum
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples
from tests.asr.recordings import read_audio

pytestmark = pytest.mark.unit

READING = Path(__file__).parents[2] / "samples" / "reading.flac"


@pytest.fixture(scope="module")
def reading() -> Samples:
    return read_audio(READING)


@pytest.fixture(scope="module")
def engine() -> DistillMosEngine:
    return DistillMosEngine.load()


def overall(engine: DistillMosEngine, samples: Samples, step: float = 60.0) -> float:
    """The mean over all windows."""
    return fmean(each.opinion.overall for each in engine.rate(samples, step, lambda: None))


def white_noise() -> Samples:
    return np.random.default_rng(1).normal(0, 3000, WINDOW).astype(np.int16)


# What distillmos 0.9.1 gives. Its windows end with the sound: of 20 s, they are 0.948 s apart.
@pytest.mark.parametrize(
    ("seconds", "step", "expected"),
    [
        (2.0, 60.0, 3.8634),
        (7.68, 60.0, 4.4724),
        (20.0, (20 - WINDOW / SAMPLE_RATE) / 13, 4.2845),
    ],
)
def test_it_agrees_with_microsofts_library(
    engine: DistillMosEngine, reading: Samples, seconds: float, step: float, expected: float
) -> None:
    found = overall(engine, reading[: round(seconds * SAMPLE_RATE)], step)
    assert found == pytest.approx(expected, abs=0.02)


def test_it_agrees_in_silence_in_noise_and_in_almost_nothing(
    engine: DistillMosEngine, reading: Samples
) -> None:
    assert overall(engine, np.zeros(WINDOW, np.int16)) == pytest.approx(1.9690, abs=0.02)
    assert overall(engine, white_noise()) == pytest.approx(1.2623, abs=0.02)
    assert overall(engine, reading[16_000:16_100]) == pytest.approx(1.7819, abs=0.02)


def test_how_loud_a_sound_is_does_not_count(engine: DistillMosEngine, reading: Samples) -> None:
    loud = reading[:WINDOW]
    quiet = (loud // 4).astype(np.int16)
    assert overall(engine, quiet) == pytest.approx(overall(engine, loud), abs=0.1)


def test_a_spectrum_has_161_frequencies_every_10_ms_and_its_peak_does_not_count() -> None:
    time = np.arange(WINDOW) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 2000 * time).astype(np.float32)
    spectrum = compressed_spectrum(tone)
    assert spectrum.shape == (2, 161, 768)
    assert spectrum.dtype == np.float32
    magnitude = np.hypot(*spectrum)
    assert set(magnitude.argmax(axis=0)) == {2000 // 50}
    # Half of a window of 320 samples that is 0.5 in the mean, to the power of 0.3.
    assert magnitude.max() == pytest.approx(80**0.3, rel=0.01)
    assert np.allclose(compressed_spectrum((tone / 100).astype(np.float32)), spectrum, atol=1e-3)


def test_silence_has_no_spectrum() -> None:
    assert not compressed_spectrum(np.zeros(WINDOW, np.float32)).any()
