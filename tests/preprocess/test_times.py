"""Speech is where a player has it, for every container that has a clock."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from tests.preprocess import recordings
from tests.preprocess.conftest import Preprocess
from tests.preprocess.decoded import decoded_sound, lag_seconds
from tests.preprocess.test_containers import KINDS, seconds_of_speech

pytestmark = pytest.mark.unit

RATE = recordings.RATE
SECONDS = 20.0
# Between two words of the sample, where a packet begins within the tolerance.
AT = 8.0
GAP = 20.0
CLOSE = 0.05
# Ogg with other codecs than Opus is in test_ogg: its clock goes by pages, and
# FFmpeg writes one that holds sound from before and after a gap.
# What the coder is, and FFmpeg's name of the container that its packets go to.
CLOCKED: dict[str, tuple[dict[str, Any], str]] = {
    "webm": (KINDS["webm"], "webm"),
    "matroska aac": (KINDS["matroska"], "matroska"),
    "matroska mp3": (KINDS["mp3"], "matroska"),
    "matroska flac": (KINDS["flac"], "matroska"),
    "mp4": (KINDS["m4a"], "mp4"),
    "mov": (KINDS["m4a"], "mov"),
    "ogg opus": (KINDS["ogg opus"], "ogg"),
}


def in_silence(sound: np.ndarray, near: float) -> float:
    """The middle of the quietest second around a time."""
    energy = np.abs(sound.astype(np.int32)).reshape(-1, recordings.RATE // 10).sum(axis=1)
    first = round(near * 10) - 30
    windows = np.convolve(energy[first : first + 60], np.ones(5), "valid")
    return (first + int(windows.argmin()) + 2.5) / 10


@functools.cache
def whole(kind: str) -> bytes:
    """The sample, as its kind's coder has it."""
    encoding, _ = CLOCKED[kind]
    return recordings.encode(recordings.speech(SECONDS), **encoding)


@functools.cache
def original(kind: str) -> np.ndarray:
    """The decoded sound of it."""
    return decoded_sound(whole(kind)).samples


@pytest.mark.parametrize("kind", CLOCKED)
def test_a_gap_moves_what_comes_after_it(kind: str) -> None:
    _, container = CLOCKED[kind]
    at = in_silence(recordings.speech(SECONDS), AT)
    gapped = recordings.remuxed(
        whole(kind), container=container, shift=lambda time: GAP * (time >= at)
    )
    expected, found = original(kind), decoded_sound(gapped)
    assert len(found.samples) / RATE == pytest.approx(SECONDS + GAP, abs=CLOSE)
    assert lag_seconds(found.samples[: round(at * RATE)], expected) == pytest.approx(0, abs=CLOSE)
    after = found.samples[round((at + GAP) * RATE) :]
    assert lag_seconds(after, expected[round(at * RATE) :]) == pytest.approx(0, abs=CLOSE)
    (warning,) = found.done.warnings
    assert warning.reason == "GAP"
    # A packet lasts up to a tenth of a second, and a page of Ogg up to one.
    assert warning.start_seconds == pytest.approx(at, abs=0.6)
    assert warning.end_seconds == pytest.approx(at + GAP, abs=0.6)


@pytest.mark.parametrize("kind", ["matroska aac", "mp4", "mov"])
def test_sound_that_begins_late_is_late(kind: str) -> None:
    _, container = CLOCKED[kind]
    late = recordings.remuxed(whole(kind), container=container, shift=lambda _: 4.0, video=True)
    found = decoded_sound(late)
    assert lag_seconds(found.samples, original(kind)) == pytest.approx(4, abs=CLOSE)
    assert not found.done.warnings


@pytest.mark.parametrize("kind", CLOCKED)
def test_lost_packets_are_silence_of_their_length(kind: str) -> None:
    _, container = CLOCKED[kind]
    holed = recordings.remuxed(
        whole(kind), container=container, keep=lambda time: not 9 <= time < 10.5
    )
    found = decoded_sound(holed)
    assert len(found.samples) / RATE == pytest.approx(SECONDS, abs=CLOSE)
    assert lag_seconds(found.samples, original(kind), begin=12) == pytest.approx(0, abs=CLOSE)
    (warning,) = found.done.warnings
    assert warning.reason == "GAP"
    assert warning.start_seconds == pytest.approx(9, abs=0.6)


async def test_a_gap_is_a_warning_of_the_result(preprocess: Preprocess) -> None:
    whole = recordings.encode(recordings.speech(SECONDS), **KINDS["webm"])
    gapped = recordings.remuxed(whole, container="webm", shift=lambda time: GAP * (time >= AT))
    result = await preprocess(gapped)
    assert result.duration.ToMilliseconds() / 1e3 == pytest.approx(SECONDS + GAP, abs=CLOSE)
    (warning,) = result.warnings
    assert warning.reason == "GAP"
    assert warning.range.start_offset.ToMilliseconds() / 1e3 == pytest.approx(AT, abs=0.1)
    assert warning.range.end_offset.ToMilliseconds() / 1e3 == pytest.approx(AT + GAP, abs=0.1)
    spans = seconds_of_speech(result)
    assert not any(end > AT + 1 and start < AT + GAP - 1 for start, end in spans)
    assert spans[-1][1] > SECONDS + GAP - 5
