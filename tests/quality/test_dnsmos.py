"""The engine `dnsmos` gives what Microsoft's own script gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maie_quality.engine import Opinion, Rating, mean_opinion
from maie_quality.engines.dnsmos import WINDOW, DnsmosEngine
from maie_quality.engines.dnsmos.mel import mel_levels
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples
from tests.asr.recordings import read_audio

pytestmark = pytest.mark.unit

READING = Path(__file__).parents[2] / "samples" / "reading.flac"


@pytest.fixture(scope="module")
def reading() -> Samples:
    return read_audio(READING)


@pytest.fixture(scope="module")
def engine() -> DnsmosEngine:
    return DnsmosEngine.load()


def rate(engine: DnsmosEngine, samples: Samples, step: float = 1.0) -> list[Rating]:
    return engine.rate(samples, step, lambda: None)


# What speechmos 0.0.1.1 gives for the first seconds of the reading.
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (3.0, Opinion(overall=2.9402, speech=3.4689, background=3.4594, crowd=3.4259)),
        (9.5, Opinion(overall=3.2501, speech=3.5839, background=3.9229, crowd=3.5880)),
        (10.6, Opinion(overall=3.2501, speech=3.5839, background=3.9229, crowd=3.5880)),
    ],
)
def test_it_agrees_with_microsofts_script(
    engine: DnsmosEngine, reading: Samples, seconds: float, expected: Opinion
) -> None:
    ratings = rate(engine, reading[: round(seconds * SAMPLE_RATE)])
    found = mean_opinion([each.opinion for each in ratings])
    assert found.overall == pytest.approx(expected.overall, abs=0.01)
    assert found.speech == pytest.approx(expected.speech, abs=0.01)
    assert found.background == pytest.approx(expected.background, abs=0.01)
    assert found.crowd == pytest.approx(expected.crowd, abs=0.01)


def test_it_agrees_in_silence_and_in_almost_nothing(engine: DnsmosEngine, reading: Samples) -> None:
    (silence,) = rate(engine, np.zeros(10 * SAMPLE_RATE, np.int16))
    assert silence.opinion.overall == pytest.approx(1.8399, abs=0.01)
    assert silence.opinion.crowd == pytest.approx(2.1468, abs=0.01)
    (tiny,) = rate(engine, reading[16_000:16_100])
    assert tiny.opinion.overall == pytest.approx(1.4884, abs=0.01)
    assert (tiny.start, tiny.end) == (0, 100)


def test_noise_is_heard_in_the_background(engine: DnsmosEngine, reading: Samples) -> None:
    noise = np.random.default_rng(1).normal(0, 1500, WINDOW)
    noisy = np.clip(reading[:WINDOW] + noise, -32768, 32767).astype(np.int16)
    (clean,), (worse,) = rate(engine, reading[:WINDOW]), rate(engine, noisy)
    assert clean.opinion.background is not None
    assert worse.opinion.background is not None
    assert worse.opinion.background < clean.opinion.background - 1


def test_mel_levels_have_900_frames_of_120_bands_and_a_tone_is_in_its_band() -> None:
    time = np.arange(WINDOW - 160) / SAMPLE_RATE
    low, high = (
        mel_levels(np.sin(2 * np.pi * hertz * time).astype(np.float32)) for hertz in (200, 5000)
    )
    assert low.shape == high.shape == (900, 120)
    assert low.max() == high.max() == 1
    assert low.min() >= -1
    assert low.mean(axis=0).argmax() < 20
    assert 80 < high.mean(axis=0).argmax() < 110
