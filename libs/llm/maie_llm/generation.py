"""Where a generation's settings come from: four layers, the uppermost that says something.

The request, the service's environment, the checkpoint's own `generation_config.json`, and what
holds where none of them says anything.
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
# Neutral, but for the seed: the same input and versions are to give the same output.
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
    """The settings that hold, each from the uppermost layer that has it.

    Args:
        request: What the request says.
        environment: What the service's settings say.
        checkpoint: What the model's authors say; see `checkpoint.checkpoint_generation`.
        library: What holds otherwise.

    Returns:
        What is None still is None in all layers: for `max_tokens`, what is left of the window.
    """
    layers = [asdict(layer) for layer in (request, environment, checkpoint, library)]
    return Generation(**{name: _first(name, layers) for name in NAMES})


def log_generation(resolved: Generation) -> None:
    """Writes what a request is answered with to the log."""
    log.info("generation.resolved", **asdict(resolved))


def generation_parameters(resolved: Generation) -> dict[str, str]:
    """The settings as `EngineVersion.parameters` holds them: values are JSON."""
    return {name: json.dumps(value) for name, value in asdict(resolved).items()}


def _first(name: str, layers: list[dict[str, Any]]) -> Any:
    return next((layer[name] for layer in layers if layer[name] is not None), None)
