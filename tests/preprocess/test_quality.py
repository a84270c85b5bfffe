"""Loudness, peak, clipping and coverage."""

from __future__ import annotations

import numpy as np
import pytest

from tests.preprocess import recordings
from tests.preprocess.conftest import Preprocess

pytestmark = pytest.mark.unit


def tone(decibels: float, rate: int = 48_000, seconds: float = 5) -> np.ndarray:
    """A sine of 1 kHz with the given peak."""
    phase = 2 * np.pi * 1000 * np.arange(round(rate * seconds)) / rate
    return np.round(32767 * 10 ** (decibels / 20) * np.sin(phase)).astype(np.int16)


async def test_loudness_and_peak_are_those_of_ebu_tech_3341(preprocess: Preprocess) -> None:
    # Case 1 of EBU Tech 3341: a stereo sine of 1 kHz at -23 dBFS reads -23 LUFS.
    stereo = np.repeat(tone(-23)[:, np.newaxis], 2, axis=1)
    result = await preprocess(recordings.raw_wav(stereo.tobytes(), channels=2, rate=48_000))
    assert result.quality.loudness_lufs == pytest.approx(-23, abs=0.1)
    assert result.quality.peak_dbfs == pytest.approx(-23, abs=0.05)
    assert result.quality.clipping_ratio == 0


async def test_the_loudness_range_is_that_of_ebu_tech_3342(preprocess: Preprocess) -> None:
    # Case 1 of EBU Tech 3342: 20 s at -20 dBFS and 20 s at -30 dBFS have a range of 10 LU.
    steps = np.concatenate([tone(-20, seconds=20), tone(-30, seconds=20)])
    stereo = np.repeat(steps[:, np.newaxis], 2, axis=1)
    result = await preprocess(recordings.raw_wav(stereo.tobytes(), channels=2, rate=48_000))
    assert result.quality.loudness_range_lu == pytest.approx(10, abs=1)


async def test_clipped_samples_are_counted(preprocess: Preprocess) -> None:
    loud = tone(0, rate=16_000).astype(np.int32) * 2
    clipped = np.clip(loud, -32768, 32767).astype(np.int16)
    expected = np.mean(np.abs(loud) >= 32767)
    result = await preprocess(recordings.raw_wav(clipped.tobytes(), channels=1, rate=16_000))
    assert result.quality.clipping_ratio == pytest.approx(expected)
    assert result.quality.peak_dbfs == 0


async def test_silence_has_no_loudness_no_peak_and_no_chunks(preprocess: Preprocess) -> None:
    result = await preprocess(recordings.wav(recordings.silence(5)))
    assert not result.quality.HasField("loudness_lufs")
    assert not result.quality.HasField("loudness_range_lu")
    assert not result.quality.HasField("peak_dbfs")
    assert result.quality.vad_coverage == 0
    assert not result.chunks


async def test_nobody_speaks_in_a_tone_or_in_noise(preprocess: Preprocess) -> None:
    noise = np.random.default_rng(1).normal(0, 1000, 80_000).astype(np.int16)
    for sound in (tone(-10, rate=16_000), noise):
        assert not (await preprocess(recordings.wav(sound))).chunks


async def test_a_clipped_recording_is_warned_of(preprocess: Preprocess) -> None:
    speech = recordings.speech(10).astype(np.int32)
    fitting = (speech * (32_000 / np.abs(speech).max())).astype(np.int16)
    assert not (await preprocess(recordings.wav(fitting))).warnings
    clipped = np.clip(fitting.astype(np.int32) * 8, -32768, 32767).astype(np.int16)
    (warning,) = (await preprocess(recordings.wav(clipped))).warnings
    assert warning.reason == "CLIPPING"
    assert 0.001 < float(warning.metadata["ratio"]) < 1


async def test_a_recording_without_speech_is_warned_of(preprocess: Preprocess) -> None:
    for sound in (recordings.silence(5), tone(-10, rate=16_000)):
        result = await preprocess(recordings.wav(sound))
        assert [warning.reason for warning in result.warnings] == ["NO_SPEECH"]
