"""How far confidences can be trusted."""

from __future__ import annotations

from random import Random

import pytest

from bench.diarization.reliability import (
    Judgement,
    brier,
    calibration_error,
    confidences,
    fitted,
)

pytestmark = pytest.mark.unit


def judgements(count: int, seed: int = 1) -> list[Judgement]:
    """Numbers that are right as often as their agreement says."""
    chance = Random(seed)
    return [
        Judgement(agreement=agreement, right=chance.random() < agreement)
        for agreement in (chance.random() for _ in range(count))
    ]


def test_a_fitted_line_rises_and_is_what_is_right() -> None:
    line = fitted(judgements(2000), 8)
    others = judgements(2000, seed=2)
    said = confidences(others, line)

    assert [share for _, share in line] == sorted(share for _, share in line)
    assert calibration_error(others, said) < 0.05
    assert brier(others, said) < brier(others, [0.5] * len(others)) - 0.05


def test_where_agreement_says_nothing_the_line_is_flat() -> None:
    same = [Judgement(agreement=place / 100, right=place % 2 == 0) for place in range(100)]

    assert {round(share, 1) for _, share in fitted(same, 8)} == {0.5}


def test_sure_and_wrong_is_the_worst() -> None:
    wrong = [Judgement(agreement=0.0, right=False)] * 3

    assert brier(wrong, [1.0] * 3) == calibration_error(wrong, [1.0] * 3) == 1
    assert brier(wrong, [0.0] * 3) == calibration_error(wrong, [0.0] * 3) == 0
