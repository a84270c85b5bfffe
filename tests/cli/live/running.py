"""`maie live` as a program, at a gateway with a typed session."""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.cli.command import MAIE, maie_at

PIECE = 1600
"""The samples of a message."""


def words(content: bytes) -> str:
    """What is said in a message: the first sample, so that a test can follow it."""
    return str(int.from_bytes(content[:2], "little", signed=True))


def pcm(pieces: int, first: int = 0) -> bytes:
    """So many messages of 16-bit samples, whose words are their numbers in hundreds."""
    return b"".join(
        (100 * (first + number)).to_bytes(2, "little") * PIECE for number in range(pieces)
    )


def write_wav(path: Path, pieces: int, first: int = 0, rate: int = 16_000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm(pieces, first))
    return path


@asynccontextmanager
async def maie_live(
    address: str,
    *arguments: str | Path,
    stdin: int = asyncio.subprocess.DEVNULL,
    stdout: int = asyncio.subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The running command; killed where the test ends before it."""
    process = await asyncio.create_subprocess_exec(
        *(MAIE, "live", *arguments),
        stdin=stdin,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "MAIE_GATEWAY": address, **(environment or {})},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ended(
    address: str,
    *arguments: str | Path,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int | None, list[str], str]:
    """Runs the command to its end; gives exit code, lines and errors."""
    if stdin is None:
        code, text, said = await maie_at(address, "live", *arguments, environment=environment)
        return code, text.splitlines(), said
    source = asyncio.subprocess.PIPE
    async with maie_live(address, *arguments, stdin=source, environment=environment) as process:
        output, errors = await process.communicate(stdin)
    return process.returncode, output.decode().splitlines(), errors.decode()
