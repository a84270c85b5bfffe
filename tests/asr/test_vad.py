"""Where somebody speaks in audio without a plan, and where nobody can have spoken."""

from __future__ import annotations

import numpy as np
import pytest

from bench.readings import FORMS, in_form
from maie_asr.engine import SAMPLE_RATE, Samples
from maie_asr.unread import Interval
from maie_asr.vad import VoiceActivity

pytestmark = pytest.mark.unit

SECONDS = 60
READING = in_form("clean", SECONDS)
FORM = pytest.mark.parametrize(
    "forms",
    [(), ("noisy",), ("quiet",), ("telephone",), ("telephone", "quiet"), ("noisy", "telephone")],
    ids=lambda forms: " ".join(forms) or "clean",
)
RANDOM = np.random.default_rng(1)
TIME = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
NOBODY = {
    "silence": np.zeros(len(TIME)),
    "loud noise": RANDOM.standard_normal(len(TIME)) * 0.1,
    "soft noise": RANDOM.standard_normal(len(TIME)) * 0.003,
    "hum": 0.2 * np.sin(2 * np.pi * 50 * TIME) + 0.1 * np.sin(2 * np.pi * 150 * TIME),
    "dial tone": 0.1 * (np.sin(2 * np.pi * 350 * TIME) + np.sin(2 * np.pi * 440 * TIME)),
}


def pcm(sound: np.ndarray) -> Samples:
    samples: Samples = np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)
    return samples


def spoken(forms: tuple[str, ...]) -> Samples:
    reading = READING
    for form in forms:
        reading = FORMS[form](reading)
    return pcm(reading.audio)


def on_the_telephone(sound: np.ndarray) -> np.ndarray:
    return FORMS["telephone"](type(READING)(audio=sound.astype(np.float32), words=())).audio


@FORM
def test_hardly_a_word_is_outside_of_what_is_found(forms: tuple[str, ...]) -> None:
    ranges = VoiceActivity(spoken(forms)).find_speech()
    outside = [
        word.text
        for word in READING.words
        if not any(
            span.start <= (word.start + word.end) / 2 * SAMPLE_RATE <= span.end for span in ranges
        )
    ]
    assert len(outside) <= (len(READING.words) // 10 if "telephone" in forms else 0)


@FORM
def test_what_was_spoken_is_never_ruled_out(forms: tuple[str, ...]) -> None:
    activity = VoiceActivity(spoken(forms))
    sentences = [READING.words[start : start + 12] for start in range(0, len(READING.words), 12)]
    for words in sentences:
        places = [Interval(start=word.start, end=word.end) for word in words]
        assert activity.may_be_speech(places), " ".join(word.text for word in words)
    whole = Interval(start=0.0, end=READING.seconds)
    assert activity.surely_spoken_seconds(whole) > 5


@pytest.mark.parametrize("telephone", [False, True], ids=["full width", "telephone"])
@pytest.mark.parametrize("kind", NOBODY)
def test_nobody_speaks_in_noise(kind: str, telephone: bool) -> None:
    sound = NOBODY[kind]
    samples = pcm(on_the_telephone(sound) if telephone else sound)
    activity = VoiceActivity(samples)
    assert activity.find_speech() == ()
    for start in range(0, SECONDS, 3):
        assert not activity.may_be_speech([Interval(start=start, end=start + 3.0)])
    assert activity.surely_spoken_seconds(Interval(start=0.0, end=SECONDS)) < 0.5


def test_places_outside_of_the_audio_hold_no_speech() -> None:
    samples = spoken(())[: 5 * SAMPLE_RATE]
    assert not VoiceActivity(samples).may_be_speech([])
    assert not VoiceActivity(samples).may_be_speech([Interval(start=5.0, end=9.0)])
    assert not VoiceActivity(samples[:0]).may_be_speech([Interval(start=0.0, end=1.0)])
    assert VoiceActivity(samples).surely_spoken_seconds(Interval(start=6.0, end=9.0)) == 0
    # What reaches beyond the end counts as far as there is audio.
    assert VoiceActivity(samples).may_be_speech([Interval(start=1.0, end=60.0)])


def test_what_was_asked_before_makes_no_difference() -> None:
    samples = spoken(("telephone",))
    activity = VoiceActivity(samples)
    for start in (31.0, 0.0, 57.5, 9.9):
        place = Interval(start=start, end=start + 2.5)
        fresh = VoiceActivity(samples)
        assert activity.may_be_speech([place]) == fresh.may_be_speech([place])
        assert activity.surely_spoken_seconds(place) == fresh.surely_spoken_seconds(place)
    assert activity.find_speech() == VoiceActivity(samples).find_speech()
