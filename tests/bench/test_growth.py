"""The soak distinguishes a leak from noise."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.growth import HOUR_SECONDS, Series, theil_sen

pytestmark = pytest.mark.unit

STEP_SECONDS = 5
HALF_AN_HOUR = range(0, 1800, STEP_SECONDS)
LIMIT = 5.0


def sampled(
    value: Callable[[int], float],
    *,
    times: Iterable[int] = HALF_AN_HOUR,
    share_per_hour: float = 0.0,
    swing: float = 0.0,
) -> Series:
    series = Series(
        name="a",
        what="memory",
        unit="MB",
        per_hour=LIMIT,
        share_per_hour=share_per_hour,
        swing=swing,
    )
    for time in times:
        series.add(time, value(time))
    return series


@given(st.floats(-50, 50), st.integers(0, 2**32))
def test_the_slope_is_found_through_noise_and_a_fifth_of_outliers(
    per_hour: float, seed: int
) -> None:
    chance = random.Random(seed)
    times = list(range(0, 1200, 30))
    values = [100 + per_hour * time / HOUR_SECONDS + chance.uniform(-0.1, 0.1) for time in times]
    for index in chance.sample(range(len(times)), len(times) // 5):
        values[index] += chance.uniform(50, 500)
    assert HOUR_SECONDS * theil_sen(times, values) == pytest.approx(per_hour, abs=2.5)


def test_one_sample_has_no_slope() -> None:
    assert theil_sen([1.0], [5.0]) == 0.0


def test_what_fills_up_at_first_and_stays_is_flat() -> None:
    series = sampled(lambda time: 100 + min(time, 590) / 10)
    assert series.slope == 0.0
    assert not series.grows


def test_a_leak_under_a_saw_of_collections_is_found() -> None:
    series = sampled(lambda time: 100 + 8 * time / HOUR_SECONDS + (time % 120) / 30)
    assert series.slope == pytest.approx(8, abs=2)
    assert series.grows


def test_a_saw_alone_is_flat() -> None:
    assert not sampled(lambda time: 100 + (time % 120) / 10).grows


def test_what_only_shrinks_does_not_grow() -> None:
    assert not sampled(lambda time: 500 - time / 10).grows


def test_a_large_store_may_vary_by_a_share_of_itself() -> None:
    def level(time: int) -> float:
        return 1000 + 100 * time / HOUR_SECONDS

    assert sampled(level).grows
    assert not sampled(level, share_per_hour=0.3).grows


def test_what_swings_slowly_is_told_from_what_rises_on_and_on() -> None:
    def rising(time: int) -> float:
        return 50 + 20 * time / HOUR_SECONDS

    assert sampled(rising).grows
    assert not sampled(rising, swing=16).grows
    assert sampled(rising, times=range(0, 3 * 3600, STEP_SECONDS), swing=16).grows


def test_what_is_only_shown_never_grows() -> None:
    series = Series(name="a", what="memory")
    for time in HALF_AN_HOUR:
        series.add(time, time)
    assert series.allowed is None
    assert not series.grows


def test_the_picture_rises_with_the_values() -> None:
    picture = sampled(float).picture(bars=8)
    assert picture == "▁▂▃▄▅▆▇█"


def test_nothing_is_said_of_what_was_rarely_seen() -> None:
    series = Series(name="a", what="b", per_hour=5)
    for time in (0, 600, 1200, 1800):
        series.add(time, time)
    assert not series.grows
