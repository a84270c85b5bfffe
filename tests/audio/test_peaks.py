"""Peaks are the highest samples, to the value, however the sound comes."""

from __future__ import annotations

import numpy as np
import pytest

from maie_audio.peaks import PEAK_SAMPLES, Peaks, loudest

pytestmark = pytest.mark.unit


def peaks_of(*parts: np.ndarray) -> list[int]:
    made = Peaks()
    for part in parts:
        made.add(part.astype(np.int16))
    return list(made.finish())


@pytest.mark.parametrize(
    ("sample", "peak"),
    [(0, 0), (1, 1), (-1, 1), (328, 26), (-8192, 128), (32_767, 255), (-32_768, 255)],
)
def test_one_sample_decides_its_tenth_of_a_second(sample: int, peak: int) -> None:
    sound = np.zeros(3 * PEAK_SAMPLES)
    sound[2 * PEAK_SAMPLES - 1] = sample
    assert peaks_of(sound) == [0, peak, 0]


@pytest.mark.parametrize("size", [1, 7, 1599, 1600, 1601, 5000])
def test_the_division_into_parts_changes_nothing(size: int) -> None:
    sound = np.random.default_rng(1).integers(-20_000, 20_000, 4321) * np.linspace(0, 1, 4321)
    whole = peaks_of(sound)
    assert len(whole) == 3  # the last one of a part
    assert peaks_of(*np.split(sound, range(size, len(sound), size))) == whole


def test_no_sound_has_no_peaks() -> None:
    assert peaks_of() == peaks_of(np.zeros(0)) == []
    assert loudest([]) == loudest([b"", b""]) == b""


def test_of_several_sounds_the_loudest_counts() -> None:
    assert loudest([bytes([1, 200, 3]), bytes([9, 20]), b""]) == bytes([9, 200, 3])
