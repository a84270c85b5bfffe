"""Which engines a mesh runs with."""

from __future__ import annotations

import os
from pathlib import Path

from maie_cli.mesh.errors import MeshError

WHISPER_MODEL = "MAIE_ASR_WHISPER_MODEL_PATH"

PROFILES: dict[str, dict[str, str]] = {
    "embedded": {
        "MAIE_ASR_ENGINE": "pocketsphinx",
        "MAIE_ENHANCEMENT_ENGINE": "rules",
        "MAIE_SUMMARY_ENGINE": "extractive",
    },
    "gpu": {
        "MAIE_ASR_ENGINE": "whisper",
        "MAIE_ASR_WHISPER_DEVICE": "cuda",
        "MAIE_ENHANCEMENT_ENGINE": "rules",
        "MAIE_SUMMARY_ENGINE": "extractive",
    },
}
"""The environment of each profile. What a person set before wins."""


def profile_environment(name: str) -> dict[str, str]:
    """The settings of a profile.

    Raises:
        MeshError: There is no such profile, or its model is not there.
    """
    if name not in PROFILES:
        raise MeshError(f"There is no profile {name!r}; choose from {', '.join(PROFILES)}.")
    if name == "gpu":
        _check_whisper(os.environ.get(WHISPER_MODEL, ""))
    return PROFILES[name]


def _check_whisper(path: str) -> None:
    if not path or not Path(path).is_dir():
        raise MeshError(
            f"The profile gpu needs a faster-whisper model: set {WHISPER_MODEL} to its folder."
        )
