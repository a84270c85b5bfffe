"""The pinned models that set-up fetches, for tests of real speech."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie_core.models import MANIFEST, model_store
from maie_core.settings import MeshSettings


def real_model(name: str) -> Path:
    """The directory of a model such as "whisper-base"; the test fails without it."""
    path = model_store(MeshSettings().models_dir) / name
    if not (path / MANIFEST).is_file():
        pytest.fail(
            f"There is no model {name} in {path.parent}; `make test` fetches it, or run "
            f"`maie models pull {name}`.",
            pytrace=False,
        )
    return path
