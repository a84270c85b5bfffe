"""Which of a window's speakers speaks when."""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_diarization.clustering import Hints, identify, turns
from maie_diarization.engine import SAMPLE_RATE, Samples, SpeechRange, Turn
from maie_diarization.engines.embedded.segmentation import (
    FRAME_STEP,
    STEP,
    WINDOW,
    Window,
)
from maie_diarization.engines.embedded.voices import local_speakers
from maie_diarization.engines.windows import window_starts
from tests.diarization.recordings import engine, everything, noisy, part, reading, standup

pytestmark = pytest.mark.unit

FRAMES = 293
FRAME_SECONDS = FRAME_STEP / SAMPLE_RATE


def window(*active: tuple[int, int, int]) -> tuple[Window, np.ndarray]:
    """A window from second 10 on, and who is active: speaker, first frame, last exclusive."""
    mask = np.zeros((FRAMES, 3), np.bool_)
    for speaker, first, last in active:
        mask[first:last, speaker] = True
    start = 10 * SAMPLE_RATE
    return Window(start=start, end=start + WINDOW, scores=mask.astype(np.float32)), mask


@given(st.integers(0, 40 * SAMPLE_RATE))
def test_windows_see_each_sample_and_end_with_the_chunk(length: int) -> None:
    starts = window_starts(length, WINDOW, STEP)

    assert starts[0] == 0
    assert starts[-1] + WINDOW >= length
    assert len(starts) == 1 or starts[-1] + WINDOW == length
    assert all(0 < after - before <= STEP for before, after in pairwise(starts))


def test_a_speaker_who_is_silent_in_a_window_is_no_voice() -> None:
    (only,) = local_speakers(*window((1, 0, FRAMES)))

    assert only.turns == (Turn(start=10.0, end=15.0),)
    assert len(only.clean) == 500


def test_turns_are_where_frames_are_active() -> None:
    (only,) = local_speakers(*window((0, 60, 120), (0, 200, 260)))

    assert [turn.end - turn.start for turn in only.turns] == pytest.approx([60 * FRAME_SECONDS] * 2)
    assert only.turns[0].start == pytest.approx(10 + 60 * FRAME_SECONDS, abs=0.03)


def test_frames_of_two_speakers_are_clean_for_neither() -> None:
    one, other = local_speakers(*window((0, 0, 120), (2, 60, FRAMES)))

    assert one.turns[0].end > other.turns[0].start
    assert one.clean.max() < other.clean.min()
    assert len(one.clean) / 100 == pytest.approx(60 * FRAME_SECONDS, abs=0.05)


def test_one_real_voice_is_one_voice_wherever_it_speaks() -> None:
    samples = part(reading(), 0, 8)

    voices = engine().listen(samples, everything(samples), lambda: None)
    found = turns(voices, [0] * len(voices))

    loud = _loud(samples)
    spoken = np.zeros_like(loud)
    for turn in found:
        spoken[round(turn.start * 100) : round(turn.end * 100)] = True
    assert np.mean(spoken[loud]) > 0.95
    assert {len(voice.turns) for voice in voices} <= {1, 2, 3}
    assert sum(voice.clean_duration for voice in voices) > 2 * len(loud) / 100


def test_two_voices_in_noise_are_two_speakers_who_take_turns() -> None:
    samples = noisy(part(standup(), 0, 40), 20)

    voices = engine().listen(samples, everything(samples), lambda: None)
    found = identify([voices], Hints(), engine().calibration, lambda: None)
    who = [turn.speaker for turn in turns(voices, found.speakers[0])]

    assert [speaker for speaker, _ in groupby(who)][:6] == [0, 1, 0, 1, 0, 1]
    assert len(found.centroids) == 2


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.int16),
        np.zeros(SAMPLE_RATE // 10, np.int16),
        np.zeros(3 * SAMPLE_RATE, np.int16),
        np.full(3 * SAMPLE_RATE, 12_000, np.int16),
        np.tile(np.array([32767, -32768], np.int16), 2 * SAMPLE_RATE),
        np.full(1, -32768, np.int16),
    ],
    ids=["empty", "a tenth", "silence", "offset", "clipped", "one sample"],
)
def test_where_nobody_speaks_there_is_no_voice(samples: Samples) -> None:
    assert engine().listen(samples, everything(samples), lambda: None) == []


def test_nothing_is_listened_to_outside_speech() -> None:
    samples = part(reading(), 0, 8)
    beats: list[None] = []

    voices = engine().listen(
        samples, [SpeechRange(start=0, end=SAMPLE_RATE)], lambda: beats.append(None)
    )

    assert beats
    assert max(voice.window.start for voice in voices) < 1
    assert engine().listen(samples, [], lambda: None) == []


def _loud(samples: Samples) -> np.ndarray:
    """The frames of 10 ms that are clearly speech."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(np.float64)
    power = np.mean(frames**2, axis=1)
    return power > 0.05 * np.percentile(power, 95)
