"""What clients may set is refused out of its range, naming the field."""

from __future__ import annotations

import math
from typing import Any

import pytest

from maie.common.v1 import types_pb2 as common
from maie_core.errors import Code, StageError
from maie_core.options import check_generation

pytestmark = pytest.mark.unit

WITHIN: dict[str, list[Any]] = {
    "temperature": [0, 2],
    "top_p": [1e-9, 1],
    "top_k": [0, 100_000],
    "min_p": [0, 1],
    "repetition_penalty": [1e-9, 2],
    "presence_penalty": [-2, 2],
    "frequency_penalty": [-2, 2],
    "seed": [0, 2**31 - 1],
    "max_tokens": [1, 1_000_000],
}
OUTSIDE: dict[str, list[Any]] = {
    "temperature": [-0.1, 2.1, math.nan, math.inf],
    "top_p": [0, 1.1, math.nan],
    "top_k": [-1, 100_001],
    "min_p": [-0.1, 1.1],
    "repetition_penalty": [0, 2.1],
    "presence_penalty": [-2.1, 2.1],
    "frequency_penalty": [-2.1, 2.1],
    "seed": [-1, 2**31],
    "max_tokens": [0, 1_000_001],
}


def test_each_option_has_a_range() -> None:
    assert {field.name for field in common.GenerationOptions.DESCRIPTOR.fields} == set(WITHIN)


@pytest.mark.parametrize(("name", "value"), [(n, v) for n in WITHIN for v in WITHIN[n]])
def test_both_ends_of_a_range_are_taken(name: str, value: Any) -> None:
    check_generation(common.GenerationOptions(**{name: value}), "generation")


@pytest.mark.parametrize(("name", "value"), [(n, v) for n in OUTSIDE for v in OUTSIDE[n]])
def test_what_is_out_of_range_is_refused(name: str, value: Any) -> None:
    with pytest.raises(StageError) as refused:
        check_generation(common.GenerationOptions(**{name: value}), "config.summary_generation")
    assert refused.value.code is Code.INVALID_ARGUMENT
    assert refused.value.reason == "OPTION_OUT_OF_RANGE"
    assert refused.value.field == f"config.summary_generation.{name}"
    assert name in refused.value.message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("temperature", "from 0 to 2"),
        ("top_p", "above 0 to 1"),
        ("seed", "from 0 to 2147483647"),
        ("max_tokens", "from 1 to 1000000"),
    ],
)
def test_a_refusal_says_the_range(name: str, words: str) -> None:
    with pytest.raises(StageError, match=words):
        check_generation(common.GenerationOptions(**{name: OUTSIDE[name][0]}), "generation")
