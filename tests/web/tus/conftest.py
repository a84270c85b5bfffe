"""Clients of tus."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.uploads.conftest import AUDIO
from tests.waiting import PATIENCE_SECONDS

PROGRAM = Path(__file__).with_name("client.mjs")
RAW = {"filename": "küche.wav", "filetype": "audio/wav", "features": "raw_transcript"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A recording in a file."""
    path = tmp_path / "küche.wav"
    path.write_bytes(AUDIO)
    return path


class Node:
    """tus-js-client in a process of its own.

    Args:
        web: The address of the web part.
        file: What it uploads.
        options: As client.mjs has them.
    """

    def __init__(self, web: str, file: Path, **options: Any) -> None:
        found = shutil.which("node")
        if found is None:
            pytest.skip("Node.js is not installed")
        asked = json.dumps({"metadata": RAW, **options})
        self._command = (found, PROGRAM, f"{web}/v1/uploads", file, asked)

    async def run(self) -> Any:
        """What it prints at its end."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env=dict(os.environ),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, errors.decode()
        return json.loads(output)
