"""Runs the example programs as a reader of the README would."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 120


@dataclass(kw_only=True, frozen=True, slots=True)
class Ended:
    """What a program left behind.

    Attributes:
        status: Its exit status.
        output: What it wrote to standard output.
        errors: What it wrote to standard error.
    """

    status: int
    output: str
    errors: str


async def run_program(
    *command: str | Path, gateway: str, cwd: Path = ROOT, stdin: bytes | None = None
) -> Ended:
    """Runs a command from the repository's root, with the gateway's address in its environment."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "MAIE_GATEWAY": gateway},
        cwd=cwd,
        stdin=None if stdin is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            output, errors = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(status=process.returncode or 0, output=output.decode(), errors=errors.decode())
