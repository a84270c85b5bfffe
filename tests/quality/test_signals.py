"""What is planted in a sound is found, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from maie_quality.signals.dropouts import find_dropouts
from maie_quality.signals.echoes import find_echo
from maie_quality.signals.hum import find_hum
from maie_quality.signals.levels import decibels, frame_powers, speech_levels
from maie_quality.signals.reverberation import find_reverberation
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples, SpeechRange
from tests.asr.recordings import read_audio

pytestmark = pytest.mark.unit

READING = Path(__file__).parents[2] / "samples" / "reading.flac"
RANDOM = 7


@pytest.fixture(scope="module")
def reading() -> Samples:
    """Twenty seconds of a real person who reads."""
    return read_audio(READING)[: 20 * SAMPLE_RATE]


def whole(samples: Samples) -> list[SpeechRange]:
    return [SpeechRange(start=0, end=len(samples))]


def as_samples(sound: NDArray[np.float64]) -> Samples:
    return np.clip(np.round(sound), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("snr", [0, 10, 30])
def test_speech_and_noise_have_the_powers_that_they_were_made_with(snr: int) -> None:
    random = np.random.default_rng(RANDOM)
    noise = random.normal(0, 100, 10 * SAMPLE_RATE)
    sound = noise.copy()
    speech = SpeechRange(start=4 * SAMPLE_RATE, end=8 * SAMPLE_RATE)
    sound[speech.start : speech.end] += random.normal(0, 100 * 10 ** (snr / 20), 4 * SAMPLE_RATE)
    levels = speech_levels(frame_powers(as_samples(sound)), [speech])
    found = 10 * np.log10((levels.speech - levels.noise) / levels.noise)
    assert found == pytest.approx(snr, abs=0.3)
    assert levels.speech_seconds == pytest.approx(4)
    assert levels.noise_seconds == pytest.approx(5.8)


def test_speech_without_a_pause_has_no_noise(reading: Samples) -> None:
    levels = speech_levels(frame_powers(reading), whole(reading))
    assert levels.noise_seconds == 0
    assert speech_levels(frame_powers(reading[:10]), []).speech_seconds == 0


def test_a_level_is_in_decibels_of_full_scale() -> None:
    assert decibels(1.0) == 0
    assert decibels(0.001) == pytest.approx(-30)
    assert decibels(0.0) is None


@pytest.mark.parametrize("length", [0.015, 0.1, 1.0])
def test_a_dropout_in_speech_is_found(reading: Samples, length: float) -> None:
    power = float(frame_powers(reading).mean())
    assert find_dropouts(reading, whole(reading), power) == []
    loudest = int(np.argmax(np.convolve(frame_powers(reading), np.ones(5), "same")))
    start = loudest * 160
    broken = reading.copy()
    # The sound goes on as loudly as it broke off, wherever that is in the reading.
    broken[start : start + round(length * SAMPLE_RATE)] = 0
    after = start + round(length * SAMPLE_RATE)
    broken[after : after + 1600] = reading[start : start + 1600]
    (found,) = find_dropouts(broken, whole(broken), power)
    assert found.start == pytest.approx(start, abs=40)
    assert found.end == pytest.approx(after, abs=40)


def test_a_pause_between_two_sentences_is_no_dropout(reading: Samples) -> None:
    gated = reading.copy()
    gated[np.abs(gated.astype(np.int32)) < 60] = 0
    pause = np.zeros(SAMPLE_RATE, np.int16)
    fade = np.linspace(1, 0, 3200)
    before, after = gated[: 5 * SAMPLE_RATE].copy(), gated[5 * SAMPLE_RATE :].copy()
    before[-3200:] = (before[-3200:] * fade).astype(np.int16)
    after[:3200] = (after[:3200] * fade[::-1]).astype(np.int16)
    sound = np.concatenate([before, pause, after])
    assert find_dropouts(sound, whole(sound), float(frame_powers(reading).mean())) == []


@pytest.mark.parametrize("hertz", [50, 60])
@pytest.mark.parametrize("level", [-45, -30])
def test_hum_is_found_under_speech(reading: Samples, hertz: int, level: int) -> None:
    time = np.arange(len(reading)) / SAMPLE_RATE
    line = sum(np.sin(2 * np.pi * hertz * each * time) / each for each in (1, 2, 3))
    line *= 32768 * 10 ** (level / 20) / np.sqrt(np.mean(line**2))
    hum = find_hum(as_samples(reading + line))
    assert hum is not None
    assert hum.hertz == hertz
    assert level - 8 < hum.level < level + 1


def test_a_reading_a_tone_and_noise_have_no_hum(reading: Samples) -> None:
    assert find_hum(reading) is None
    assert find_hum(reading[:SAMPLE_RATE]) is None
    assert find_hum(np.zeros(10 * SAMPLE_RATE, np.int16)) is None
    time = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
    assert find_hum(as_samples(3000 * np.sin(2 * np.pi * 50 * time))) is None
    assert find_hum(as_samples(np.random.default_rng(RANDOM).normal(0, 500, 160_000))) is None


@pytest.mark.parametrize("seconds", [9, 20])
@pytest.mark.parametrize(("delay", "level"), [(0.06, -10), (0.3, -14), (0.9, -10)])
def test_an_echo_is_found(reading: Samples, seconds: int, delay: float, level: float) -> None:
    sound = reading[: seconds * SAMPLE_RATE]
    echo = find_echo(echoing(sound, delay, level))
    assert echo is not None
    assert echo.delay == pytest.approx(delay, abs=0.001)
    assert 20 * np.log10(echo.gain) == pytest.approx(level - 2, abs=3)


def test_an_echo_is_found_in_a_noisy_room(reading: Samples) -> None:
    noise = np.random.default_rng(RANDOM).normal(0, np.std(reading) / 10, len(reading))
    echo = find_echo(as_samples(in_room(echoing(reading, 0.3, -10), 0.4) + noise))
    assert echo is not None
    assert echo.delay == pytest.approx(0.3, abs=0.001)


def test_readings_rooms_noise_and_beats_have_no_echo(reading: Samples) -> None:
    time = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
    beat = 8000 * np.exp(-8 * (time % 0.5)) * np.sin(2 * np.pi * 220 * time)
    noise = np.random.default_rng(RANDOM).normal(0, 500, 160_000)
    rooms = [in_room(reading, seconds) for seconds in (0.3, 0.5, 1.0, 2.0)]
    sounds = [as_samples(each) for each in (beat, noise, np.zeros(160_000))]
    for sound in (reading, echoing(reading, 0.3, -10)[: 8 * SAMPLE_RATE], *rooms, *sounds):
        assert find_echo(sound) is None


def echoing(samples: Samples, delay: float, level: float) -> Samples:
    """A sound with an echo after a delay in seconds, at a level in dB relative to the sound."""
    made = samples.astype(np.float64)
    late = round(delay * SAMPLE_RATE)
    made[late:] += 10 ** (level / 20) * samples[:-late]
    return as_samples(made)


def test_the_time_in_which_a_room_fades_is_estimated(reading: Samples) -> None:
    small, large, hall = (
        find_reverberation(frame_powers(in_room(reading, seconds))) for seconds in (0.4, 0.8, 2.0)
    )
    assert small is not None
    assert large is not None
    assert hall is not None
    assert 0.25 < small < 0.65 < large < hall
    assert large < 1.2


def test_a_close_microphone_has_little_reverberation_and_silence_none(reading: Samples) -> None:
    close = find_reverberation(frame_powers(reading))
    assert close is not None
    assert close < 0.45
    assert find_reverberation(np.zeros(1000)) is None
    assert find_reverberation(np.zeros(3)) is None


def in_room(samples: Samples, seconds: float) -> Samples:
    """A sound in a room: noise that fades by 60 dB in so many seconds, after the sound itself."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tail = np.random.default_rng(RANDOM).normal(0, 1, len(time)) * 10 ** (-3 * time / seconds)
    tail[0] = np.sqrt(np.sum(tail[1:] ** 2)) * 0.5
    size = len(samples) + len(tail)
    made = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return as_samples(made * (10_000 / np.abs(made).max()))[: len(samples)]
