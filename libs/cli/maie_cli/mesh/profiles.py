"""The profiles: the engines of a mesh."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from maie_cli.mesh.errors import MeshError

_EMBEDDED = {
    "MAIE_DIARIZATION_ENGINE": "embedded",
    "MAIE_QUALITY_ENGINE": "dnsmos",
    "MAIE_ALIGNMENT_ENGINE": "embedded",
    "MAIE_ENHANCEMENT_ENGINE": "rules",
    "MAIE_SUMMARY_ENGINE": "extractive",
}
_GPU = {
    "MAIE_ASR_ENGINE": "whisper",
    "MAIE_ASR_WHISPER_DEVICE": "cuda",
    "MAIE_ENHANCEMENT_ENGINE": "vllm",
    "MAIE_SUMMARY_ENGINE": "vllm",
}
PROFILES: dict[str, dict[str, str]] = {
    "embedded": {"MAIE_ASR_ENGINE": "whisper", **_EMBEDDED},
    "tiny": {"MAIE_ASR_ENGINE": "pocketsphinx", **_EMBEDDED},
    "gpu": _GPU,
    "shared-gpu": _GPU
    | {
        f"MAIE_{service}_{name}": value
        for service in ("ASR", "ENHANCEMENT", "SUMMARY")
        for name, value in (("RESIDENCY", "shared-gpu"), ("GPU", "local/0"))
    },
}
"""The environment of each profile. The user's settings override it. `tiny` is for machines without
downloads: all of its models are in packages."""
GPU_PROFILES = ("gpu", "shared-gpu")

MODELS: dict[tuple[str, str], tuple[str, str]] = {
    ("ASR", "whisper"): ("MAIE_ASR_WHISPER_MODEL_PATH", "a faster-whisper model"),
    ("ENHANCEMENT", "vllm"): ("MAIE_ENHANCEMENT_VLLM_MODEL_PATH", "a language model"),
    ("SUMMARY", "vllm"): ("MAIE_SUMMARY_VLLM_MODEL_PATH", "a language model"),
}
"""The variable of an engine's model path, and a description of the model."""


def profile_environment(name: str) -> dict[str, str]:
    """The settings of a profile.

    Raises:
        MeshError: There is no such profile, or a model is missing.
    """
    if name not in PROFILES:
        raise MeshError(f"There is no profile {name!r}; choose from {', '.join(PROFILES)}.")
    for variable, what in _models({**PROFILES[name], **os.environ}):
        path = os.environ.get(variable, "")
        # The embedded engine has a default model, and its service explains how to get it.
        if name in GPU_PROFILES and not (path and Path(path).is_dir()):
            raise MeshError(f"The profile {name} needs {what}: set {variable} to its folder.")
    return PROFILES[name]


def _models(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for (service, engine), model in MODELS.items():
        if environment.get(f"MAIE_{service}_ENGINE") == engine:
            yield model
