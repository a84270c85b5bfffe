"""Speech is where a player has it, for every container that has a clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maie.preprocess.v1 import preprocess_pb2 as pb
from tests.preprocess import recordings
from tests.preprocess.conftest import Preprocess
from tests.preprocess.test_containers import KINDS, seconds_of_speech

pytestmark = pytest.mark.unit

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


def later(spans: list[tuple[float, float]], by: float, *, after: float) -> list[float]:
    """Moves the spans that begin after a time, and flattens them."""
    return [time + by * (span[0] >= after) for span in spans for time in span]


def flat(result: pb.PreprocessResult) -> list[float]:
    return later(seconds_of_speech(result), 0, after=0)


def in_silence(sound: np.ndarray, near: float) -> float:
    """The middle of the quietest second around a time."""
    energy = np.abs(sound.astype(np.int32)).reshape(-1, recordings.RATE // 10).sum(axis=1)
    first = round(near * 10) - 30
    windows = np.convolve(energy[first : first + 60], np.ones(5), "valid")
    return (first + int(windows.argmin()) + 2.5) / 10


@pytest.mark.parametrize("kind", CLOCKED)
async def test_a_gap_moves_what_comes_after_it(kind: str, preprocess: Preprocess) -> None:
    encoding, container = CLOCKED[kind]
    sound = recordings.speech(SECONDS)
    at = in_silence(sound, AT)
    whole = recordings.encode(sound, **encoding)
    gapped = recordings.remuxed(whole, container=container, shift=lambda time: GAP * (time >= at))
    expected = seconds_of_speech(await preprocess(whole))
    result = await preprocess(gapped)
    assert flat(result) == pytest.approx(later(expected, GAP, after=at), abs=2 * CLOSE)
    assert result.duration.ToMilliseconds() / 1e3 == pytest.approx(SECONDS + GAP, abs=CLOSE)
    (warning,) = result.warnings
    assert warning.reason == "GAP"
    assert warning.range.start_offset.ToMilliseconds() / 1e3 == pytest.approx(at, abs=0.3)
    assert warning.range.end_offset.ToMilliseconds() / 1e3 == pytest.approx(at + GAP, abs=0.3)


@pytest.mark.parametrize("kind", ["matroska aac", "mp4", "mov"])
async def test_sound_that_begins_late_is_late(kind: str, preprocess: Preprocess) -> None:
    encoding, container = CLOCKED[kind]
    sound = recordings.speech(SECONDS)
    whole = recordings.encode(sound, **encoding)
    late = recordings.remuxed(whole, container=container, shift=lambda _: 4.0, video=True)
    expected = seconds_of_speech(await preprocess(whole))
    result = await preprocess(late)
    assert flat(result) == pytest.approx(later(expected, 4.0, after=0), abs=2 * CLOSE)
    assert not result.warnings


@pytest.mark.parametrize("kind", CLOCKED)
async def test_lost_packets_are_silence_of_their_length(kind: str, preprocess: Preprocess) -> None:
    encoding, container = CLOCKED[kind]
    sound = recordings.speech(SECONDS)
    whole = recordings.encode(sound, **encoding)
    holed = recordings.remuxed(whole, container=container, keep=lambda time: not 9.0 <= time < 10.5)
    result = await preprocess(holed)
    assert result.duration.ToMilliseconds() / 1e3 == pytest.approx(SECONDS, abs=CLOSE)
    (warning,) = result.warnings
    assert warning.reason == "GAP"
    assert warning.range.start_offset.ToMilliseconds() / 1e3 == pytest.approx(9.0, abs=0.3)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_whole_recording_has_no_warning(kind: str, preprocess: Preprocess) -> None:
    result = await preprocess(recordings.encode(recordings.speech(5), **KINDS[kind]))
    assert not result.warnings
