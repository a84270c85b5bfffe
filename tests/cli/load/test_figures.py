"""Percentiles, distributions and courses of measurements."""

from __future__ import annotations

from itertools import pairwise
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_cli.load.charts import MOST_ROWS, bars_of, slots_of
from maie_cli.load.percentiles import percentile
from maie_cli.load.runs import Sample

pytestmark = pytest.mark.unit

latencies = st.floats(min_value=-1, max_value=1e5, allow_nan=False)
times = st.floats(min_value=0, max_value=1e6, allow_nan=False)


@given(st.lists(latencies, min_size=2))
def test_percentiles_are_those_of_the_standard_library(values: list[float]) -> None:
    expected = quantiles(values, n=100, method="inclusive")
    found = [percentile(values, percent) for percent in range(1, 100)]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert (percentile(values, 0), percentile(values, 100)) == (min(values), max(values))


def test_one_value_is_each_percentile() -> None:
    assert [percentile([3.0], percent) for percent in (0, 50, 100)] == [3.0] * 3


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 101), ([1.0], -1)])
def test_there_is_no_percentile_of_nothing_or_beyond_all(
    values: list[float], percent: float
) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, percent)


@given(st.lists(latencies, min_size=1))
def test_each_value_is_in_one_bar(values: list[float]) -> None:
    bars = bars_of(values)
    assert sum(bar.count for bar in bars) == len(values)
    assert len(bars) <= MOST_ROWS
    assert all(before.to_seconds == after.from_seconds for before, after in pairwise(bars))
    tiny = 1e-6
    assert bars[0].from_seconds - tiny <= min(values)
    assert max(values) <= bars[-1].to_seconds + tiny
    assert bars[0].count
    assert bars[-1].count


def test_bars_have_round_edges() -> None:
    bars = bars_of([0.21, 0.22, 0.24, 0.35])
    assert [bar.from_seconds for bar in bars] == [0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.32, 0.34]
    assert [bar.count for bar in bars] == [1, 1, 1, 0, 0, 0, 0, 1]


@given(st.lists(st.tuples(times, latencies), min_size=1))
def test_each_sample_is_in_the_slot_of_its_time(made: list[tuple[float, float]]) -> None:
    samples = [Sample(at=at, seconds=seconds) for at, seconds in made]
    slots = slots_of(samples)
    assert len(slots) <= MOST_ROWS
    for slot in slots:
        within = [
            sample.seconds for sample in samples if slot.from_seconds <= sample.at < slot.to_seconds
        ]
        assert slot.count == len(within)
        assert slot.p90 == (percentile(within, 90) if within else None)


def test_nothing_measured_is_nothing_drawn() -> None:
    assert (bars_of([]), slots_of([])) == ([], [])
