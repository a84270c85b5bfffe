"""A generation's settings come from the uppermost layer that has them."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

import pytest
import structlog
from pydantic import ValidationError

from maie_llm import Generation
from maie_llm.generation import (
    LIBRARY_DEFAULTS,
    NAMES,
    generation_parameters,
    log_generation,
    resolve_generation,
)
from maie_llm.settings import GenerationSettings

pytestmark = pytest.mark.unit

# A value for each layer and setting, all of them other ones.
LAYERS = [Generation(**dict.fromkeys(NAMES, layer)) for layer in range(1, 4)]


@pytest.mark.parametrize("name", NAMES)
def test_that_each_setting_comes_from_the_uppermost_layer_that_has_it(name: str) -> None:
    request, environment, checkpoint = LAYERS
    none = Generation()

    def resolved(*layers: Generation) -> float | None:
        value: float | None = getattr(
            resolve_generation(
                request=layers[0], environment=layers[1], checkpoint=layers[2], library=none
            ),
            name,
        )
        return value

    assert resolved(request, environment, checkpoint) == 1.0
    assert resolved(none, environment, checkpoint) == 2.0
    assert resolved(none, none, checkpoint) == 3.0
    assert resolved(none, none, none) is None


@pytest.mark.parametrize("name", ["temperature", "top_k", "min_p", "seed"])
def test_that_zero_is_a_value_and_not_a_gap(name: str) -> None:
    resolved = resolve_generation(request=Generation(**{name: 0}), environment=LAYERS[1])
    assert getattr(resolved, name) == 0


def test_that_nothing_said_is_neutral_and_reproducible() -> None:
    resolved = resolve_generation(request=Generation(), environment=Generation())
    assert resolved == LIBRARY_DEFAULTS
    assert resolved.seed == 0
    assert resolved.max_tokens is None


def test_that_layers_mix_setting_by_setting() -> None:
    resolved = resolve_generation(
        request=Generation(temperature=0.0),
        environment=Generation(temperature=0.5, top_p=0.9),
        checkpoint=Generation(temperature=0.6, top_p=0.95, top_k=20),
    )
    assert (resolved.temperature, resolved.top_p, resolved.top_k) == (0.0, 0.9, 20)


def test_that_every_setting_is_reported_as_json() -> None:
    parameters = generation_parameters(LIBRARY_DEFAULTS)
    assert {name: json.loads(value) for name, value in parameters.items()} == asdict(
        LIBRARY_DEFAULTS
    )


def test_that_what_holds_is_logged() -> None:
    with structlog.testing.capture_logs() as logs:
        log_generation(Generation(temperature=0.25, seed=7))
    assert logs[0]["event"] == "generation.resolved"
    assert (logs[0]["temperature"], logs[0]["seed"]) == (0.25, 7)


def test_that_the_environment_can_set_all_that_a_request_can() -> None:
    assert set(GenerationSettings.model_fields) == {field.name for field in fields(Generation)}
    assert GenerationSettings(temperature=0.2, seed=3).generation() == Generation(
        temperature=0.2, seed=3
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", -0.1), ("top_p", 0), ("min_p", 1.1), ("max_tokens", 0), ("seed", -1)],
)
def test_that_a_setting_out_of_its_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValidationError):
        GenerationSettings.model_validate({name: value})
