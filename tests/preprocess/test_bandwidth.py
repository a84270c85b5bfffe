"""How far up speech reaches, on readings of a real person."""

from __future__ import annotations

import functools
from typing import Any

import av
import numpy as np
import pytest
from av.audio.resampler import AudioResampler

from maie.preprocess.v1 import preprocess_pb2 as pb
from tests.asr.recordings import LIBRIVOX, read_audio
from tests.preprocess import recordings
from tests.preprocess.conftest import Preprocess
from tests.preprocess.recordings import RATE, Samples

pytestmark = pytest.mark.unit


@functools.cache
def reading() -> Samples:
    pause = recordings.silence(2)
    return np.concatenate([part for clip in LIBRIVOX[:2] for part in (read_audio(clip), pause)])


def at(rate: int, sound: Samples) -> Samples:
    """The sound of 16 kHz at another rate."""
    frame = av.AudioFrame.from_ndarray(sound[np.newaxis], format="s16", layout="mono")
    frame.sample_rate = RATE
    resampler = AudioResampler("s16", "mono", rate)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces])


def passed(sound: Samples, low: float, high: float) -> Samples:
    """What a steep filter lets through."""
    spectrum = np.fft.rfft(sound.astype(float))
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    return np.round(np.fft.irfft(spectrum, len(sound))).astype(np.int16)


def noisy(sound: Samples, ratio: float) -> Samples:
    """With white noise, `ratio` dB below the sound."""
    level = np.sqrt(np.mean(sound.astype(float) ** 2)) * 10 ** (-ratio / 20)
    noise = np.random.default_rng(1).normal(0, level, len(sound))
    return np.clip(sound + noise, -32768, 32767).astype(np.int16)


def wav(rate: int, sound: Samples) -> bytes:
    return recordings.raw_wav(at(rate, sound).tobytes(), channels=1, rate=rate)


def quality(result: pb.PreprocessResult) -> tuple[int, bool]:
    return result.quality.bandwidth_hertz, result.quality.narrow_band


@pytest.mark.parametrize("rate", [16_000, 48_000])
@pytest.mark.parametrize(
    "change", [None, "quiet", "noisy"], ids=["clean", "quiet", "10 dB of noise"]
)
async def test_speech_of_full_width_is_not_narrow(
    change: str | None, rate: int, preprocess: Preprocess
) -> None:
    sound = reading()
    if change == "quiet":
        sound = sound // 16
    if change == "noisy":
        sound = noisy(sound, 10)
    hertz, narrow = quality(await preprocess(wav(rate, sound)))
    assert not narrow
    # Noise hides how far up speech reaches.
    assert change == "noisy" or 6500 <= hertz <= 7500


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
async def test_a_telephone_is_narrow_at_any_rate(rate: int, preprocess: Preprocess) -> None:
    hertz, narrow = quality(await preprocess(wav(rate, passed(reading(), 300, 3400))))
    assert narrow
    assert hertz == pytest.approx(3400, abs=150)


async def test_noise_on_the_line_hides_nothing_of_that(preprocess: Preprocess) -> None:
    sound = noisy(passed(reading(), 300, 3400), 25)
    assert (await preprocess(wav(16_000, sound))).quality.narrow_band


@pytest.mark.parametrize(
    "kind",
    [
        {"container": "wav", "codec": "pcm_mulaw", "rate": 8_000},
        {"container": "wav", "codec": "pcm_alaw", "rate": 8_000},
        {"container": "mp3", "codec": "libmp3lame", "rate": 8_000},
    ],
    ids=lambda kind: kind["codec"],
)
async def test_eight_kilohertz_are_narrow(kind: dict[str, Any], preprocess: Preprocess) -> None:
    result = await preprocess(recordings.encode(reading(), **kind))
    hertz, narrow = quality(result)
    assert narrow
    assert hertz <= 4000


@pytest.mark.parametrize(
    "kind",
    [
        {"container": "mp3", "codec": "libmp3lame", "rate": 44_100, "layout": "stereo"},
        {"container": "ogg", "codec": "libopus", "rate": 48_000},
        {"container": "ipod", "codec": "aac", "rate": 44_100},
    ],
    ids=lambda kind: kind["codec"],
)
async def test_a_codec_of_full_width_is_not_narrow(
    kind: dict[str, Any], preprocess: Preprocess
) -> None:
    assert not (await preprocess(recordings.encode(reading(), **kind))).quality.narrow_band


async def test_where_nobody_speaks_there_is_no_bandwidth(preprocess: Preprocess) -> None:
    noise = noisy(recordings.silence(5) + np.int16(3), -40)
    result = await preprocess(recordings.wav(noise))
    assert not result.chunks
    assert not result.quality.HasField("bandwidth_hertz")
    assert not result.quality.narrow_band
