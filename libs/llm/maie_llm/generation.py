"""Resolves generation parameters from four layers; the highest layer with a value wins.

The layers are the request, the service's environment, the checkpoint's own
`generation_config.json`, and the defaults.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

import structlog

from maie_llm.model import Generation

log = structlog.get_logger()

NAMES = tuple(field.name for field in fields(Generation))
SAYS_NOTHING = Generation()
# Neutral, except for the seed: the same input and versions must give the same output.
LIBRARY_DEFAULTS = Generation(
    temperature=1.0,
    top_p=1.0,
    top_k=0,
    min_p=0.0,
    repetition_penalty=1.0,
    presence_penalty=0.0,
    frequency_penalty=0.0,
    seed=0,
)


def resolve_generation(
    *,
    request: Generation,
    environment: Generation,
    checkpoint: Generation = SAYS_NOTHING,
    library: Generation = LIBRARY_DEFAULTS,
) -> Generation:
    """The resolved parameters, each from the highest layer that has it.

    Args:
        request: The request's parameters.
        environment: The service's settings.
        checkpoint: The model's own; see `checkpoint.checkpoint_generation`.
        library: The defaults.

    Returns:
        None for values without a layer; for `max_tokens` that means the rest of the window.
    """
    layers = [asdict(layer) for layer in (request, environment, checkpoint, library)]
    return Generation(**{name: _first(name, layers) for name in NAMES})


def log_generation(resolved: Generation) -> None:
    """Logs the parameters of a request."""
    log.info("generation.resolved", **asdict(resolved))


def generation_parameters(resolved: Generation) -> dict[str, str]:
    """The parameters for `EngineVersion.parameters`, with JSON values."""
    return {name: json.dumps(value) for name, value in asdict(resolved).items()}


def _first(name: str, layers: list[dict[str, Any]]) -> Any:
    return next((layer[name] for layer in layers if layer[name] is not None), None)
