"""Clients of tus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.uploads.conftest import AUDIO
from tests.web.node import run_node

PROGRAM = Path(__file__).with_name("client.mjs")
RAW = {"filename": "küche.wav", "filetype": "audio/wav", "features": "raw_transcript"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A recording in a file."""
    path = tmp_path / "küche.wav"
    path.write_bytes(AUDIO)
    return path


async def node(web: str, file: Path, **options: Any) -> Any:
    """What tus-js-client, in a process of its own, makes of a file.

    Args:
        web: The address of the web part.
        file: What it uploads.
        options: As client.mjs has them.
    """
    asked = json.dumps({"metadata": RAW, **options})
    return await run_node(PROGRAM, f"{web}/v1/uploads", file, asked)
