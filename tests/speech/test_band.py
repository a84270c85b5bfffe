"""Whether sound is in the band of a telephone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.readings import FORMS, in_form
from maie_speech.band import BandWatch, OnlineBand, band_levels
from maie_speech.frames import FRAME_SAMPLES, SAMPLE_RATE, WINDOW_FRAMES

pytestmark = pytest.mark.unit

SECONDS = 60.0
WINDOW = WINDOW_FRAMES * FRAME_SAMPLES


def samples(*forms: str) -> NDArray[np.int16]:
    """A reading that was changed in each of these ways, one after another."""
    reading = in_form("clean", SECONDS)
    for form in forms:
        reading = FORMS[form](reading)
    return np.round(np.clip(reading.audio, -1, 1) * 32767).astype(np.int16)


def judged(sound: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Whether each frame is taken for a telephone's."""
    band = BandWatch()
    return np.concatenate(
        [
            band.feed(band_levels(window), -(-len(window) // FRAME_SAMPLES))
            for window in (sound[start : start + WINDOW] for start in range(0, len(sound), WINDOW))
        ]
    )


@pytest.mark.parametrize("forms", [("noisy",), ("quiet", "noisy")])
def test_noise_of_full_width_is_never_narrow(forms: tuple[str, ...]) -> None:
    assert not judged(samples(*forms)).any()


@pytest.mark.parametrize("forms", [(), ("quiet",)])
def test_speech_of_full_width_is_seldom_narrow(forms: tuple[str, ...]) -> None:
    # Two seconds of vowels may be; noise at the same time would show otherwise.
    assert judged(samples(*forms)).mean() < 0.25


@pytest.mark.parametrize("forms", [("telephone",), ("noisy", "telephone"), ("telephone", "quiet")])
def test_telephones_are_narrow(forms: tuple[str, ...]) -> None:
    assert judged(samples(*forms)).mean() > 0.95


@pytest.mark.parametrize("seconds", [6, 20])
def test_a_caller_is_narrow_where_the_host_is_not(seconds: int) -> None:
    frames = seconds * SAMPLE_RATE // FRAME_SAMPLES
    host, caller = (
        np.resize(samples(*forms), (4, frames * FRAME_SAMPLES)) for forms in ((), ("telephone",))
    )
    turns = np.concatenate([turn for pair in zip(host, caller, strict=True) for turn in pair])
    by_turn = judged(turns).reshape(8, frames)
    # The block of two seconds in which a turn begins may be judged by the turn before.
    assert by_turn[1::2, 64:].mean() > 0.95
    assert by_turn[0::2, 128:].mean() < 0.5


@pytest.mark.parametrize("size", [1, 511, 2000, WINDOW, WINDOW + 1])
def test_silence_is_not_narrow(size: int) -> None:
    found = judged(np.zeros(size, np.int16))
    assert len(found) == -(-size // FRAME_SAMPLES)
    assert not found.any()


def judged_online(sound: NDArray[np.int16], frames: int = 3) -> NDArray[np.bool_]:
    """Whether each frame is taken for a telephone's when it comes, a few frames at a time."""
    band, size = OnlineBand(), frames * FRAME_SAMPLES
    whole = len(sound) // size * size
    return np.array([each for at in range(0, whole, size) for each in band.feed(sound[at:][:size])])


@pytest.mark.parametrize(
    ("forms", "low", "high"),
    [
        (("telephone",), 0.9, 1),
        (("noisy", "telephone"), 0.9, 1),
        ((), 0, 0.35),
        (("quiet",), 0, 0.35),
        (("noisy",), 0, 0),
    ],
)
def test_a_track_is_judged_by_what_has_come(
    forms: tuple[str, ...], low: float, high: float
) -> None:
    assert low <= judged_online(samples(*forms)).mean() <= high


def test_where_a_track_is_divided_makes_no_difference() -> None:
    sound = samples("telephone")[: 40 * 6 * FRAME_SAMPLES]
    assert (judged_online(sound, 1) == judged_online(sound, 5)).all()
