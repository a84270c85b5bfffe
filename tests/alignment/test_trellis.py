"""The best path is the best of all paths."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_alignment.engines.ctc.trellis import BLANK, best_path, fits

pytestmark = pytest.mark.unit

COLUMNS = 4
CASES = st.tuples(
    st.integers(1, 6),
    st.lists(st.integers(1, COLUMNS - 1), min_size=1, max_size=4),
    st.integers(0, 2**32 - 1),
)


@given(CASES)
def test_no_path_is_better(case):
    frames, symbols, seed = case
    levels = random_levels(frames, seed)
    if not fits(frames, symbols):
        assert not list(paths(frames, symbols))
        with pytest.raises(ValueError, match="few frames"):
            best_path(levels, symbols, 0)
        return
    found = tuple(best_path(levels, symbols, 0))
    possible = set(paths(frames, symbols))
    assert found in possible
    best = max(total(levels, symbols, each) for each in possible)
    assert total(levels, symbols, found) == pytest.approx(best)


def test_a_long_text_takes_a_byte_for_each_frame_and_state():
    levels = random_levels(2000, 1)
    symbols = [1, 2, 3] * 200
    tracemalloc.start()
    path = best_path(levels, symbols, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * len(levels) * (2 * len(symbols) + 1)
    assert sorted(set(path)) == [BLANK, *range(len(symbols))]
    assert list(path[path != BLANK]) == sorted(path[path != BLANK])


def random_levels(frames, seed):
    draws = np.random.default_rng(seed).dirichlet(np.ones(COLUMNS), frames)
    return np.log(draws + 1e-9).astype(np.float32)


def paths(frames, symbols):
    """All paths, as CTC defines them: without repeats and blanks they are the symbols."""
    columns = [0, *symbols]
    for path in itertools.product(range(BLANK, len(symbols)), repeat=frames):
        spoken = [place for place, _ in itertools.groupby(path) if place != BLANK]
        if spoken != list(range(len(symbols))):
            continue
        heard = [column for column, _ in itertools.groupby(columns[place + 1] for place in path)]
        if [column for column in heard if column] == list(symbols):
            yield path


def total(levels, symbols, path):
    columns = [0, *symbols]
    return sum(float(levels[frame, columns[place + 1]]) for frame, place in enumerate(path))
