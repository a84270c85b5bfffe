"""How well one measure orders another."""

from __future__ import annotations

import pytest

from bench.quality_words import FORMS, rank_correlation
from bench.readings import long_reading

pytestmark = pytest.mark.unit


def test_ranks_correlate_whatever_the_scale() -> None:
    assert rank_correlation([1, 2, 3, 40], [5, 6, 7, 8]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3, 40], [8, 7, 6, 5]) == pytest.approx(-1)
    assert rank_correlation([1, 2, 2, 3], [1, 2, 2, 3]) == pytest.approx(1)
    assert abs(rank_correlation([1, 2, 3, 4], [2, 4, 1, 3])) < 0.5


def test_each_form_is_as_long_as_the_reading_and_no_louder_than_its_format_holds() -> None:
    audio = long_reading(3).audio
    for form in FORMS.values():
        assert len(form(audio)) == len(audio)
    assert abs(FORMS["clipped 36 dB"](audio)).max() == 1
