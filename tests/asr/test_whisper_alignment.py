"""What is left of the audio after the last word can be too short for any word."""

from __future__ import annotations

import pytest
from faster_whisper import WhisperModel

from maie_asr.engines.whisper.model import load_model
from maie_asr.settings import WhisperSettings
from tests.asr.real_models import real_model
from tests.asr.recordings import ROOT, read_audio
from tests.properties import IN_CI

pytestmark = pytest.mark.unit

READING = ROOT / "samples" / "reading.flac"
BEGINS = (1.0, 3.0, 5.0, 7.5)


@pytest.fixture(scope="module")
def model() -> WhisperModel:
    return load_model(real_model("whisper-tiny.en"), WhisperSettings(cpu_threads=1), workers=1)


def read(model: WhisperModel, start: float, seconds: float, *, word_timestamps: bool = True) -> str:
    """What the model writes for a clip that is one window, however unsure it is of it."""
    segments, _ = model.transcribe(
        read_audio(READING).astype("float32") / 32768,
        language="en",
        word_timestamps=word_timestamps,
        clip_timestamps=[start, start + seconds],
        temperature=WhisperSettings().temperature,
        no_speech_threshold=None,
    )
    return "".join(segment.text for segment in segments).strip()


@pytest.mark.slow
@pytest.mark.parametrize("frames", range(1, 10))
def test_a_window_too_short_for_a_word_has_none(model: WhisperModel, frames: int) -> None:
    for start in BEGINS if IN_CI else [BEGINS[frames % len(BEGINS)]]:
        assert read(model, start, frames / 100) == ""


def test_the_model_invents_a_text_where_none_was_left_out(model: WhisperModel) -> None:
    assert any(read(model, start, 0.05, word_timestamps=False) for start in BEGINS)


def test_a_window_of_two_seconds_is_read(model: WhisperModel) -> None:
    assert all(read(model, start, 2.0) for start in BEGINS)
