"""What a request sets reaches the model."""

from __future__ import annotations

from dataclasses import fields

import pytest

from maie.common.v1 import types_pb2 as common
from maie_core.errors import StageError
from maie_llm import Generation, generation_of

pytestmark = pytest.mark.unit


def test_what_is_unset_is_left_to_the_layers_below() -> None:
    assert generation_of(common.GenerationOptions()) == Generation()


def test_zero_is_not_unset() -> None:
    options = common.GenerationOptions(temperature=0.0, top_k=0, seed=0)
    assert generation_of(options) == Generation(temperature=0.0, top_k=0, seed=0)


def test_the_contract_and_the_models_know_the_same_options() -> None:
    contract = {field.name for field in common.GenerationOptions.DESCRIPTOR.fields}
    assert contract == {field.name for field in fields(Generation)}


def test_what_is_out_of_range_is_refused_naming_the_field() -> None:
    with pytest.raises(StageError) as refused:
        generation_of(common.GenerationOptions(top_p=2.0))
    assert refused.value.field == "generation.top_p"
