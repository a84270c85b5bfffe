"""Programs in JavaScript."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE_SECONDS


async def run_node(program: Path, *arguments: str | Path, **environment: str) -> Any:
    """What a program prints as JSON."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node.js is not installed")
    process = await asyncio.create_subprocess_exec(
        found,
        program,
        *arguments,
        env={**os.environ, **environment},
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
