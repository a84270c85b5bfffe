"""Sending a recording."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import grpc

from maie.job.v1 import job_pb2 as job

MESSAGE_BYTES = 256 * 1024
"""The size of the messages: larger ones gain nothing, smaller ones cost throughput."""

Source = Path | str | AsyncIterable[bytes]
"""A recording: the path of a file, or its bytes as they come."""


def filename_of(source: Source) -> str:
    """The name of a file; empty for bytes."""
    return Path(source).name if isinstance(source, Path | str) else ""


async def send_upload(
    call: Any,  # a StreamStreamCall or StreamUnaryCall: what they share has no type of its own
    wrap: Callable[[job.UploadPart], object],
    config: job.JobConfig,
    source: Source,
    reader: Executor,
) -> None:
    """Writes a whole upload. Returns early where the call has ended: its status says why.

    Raises:
        OSError: The file cannot be read. The call is cancelled.
    """
    try:
        async with aclosing(_parts(config, source, reader)) as parts:
            async for part in parts:
                await call.write(wrap(part))
        await call.done_writing()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return
    except BaseException:
        call.cancel()
        raise


async def _parts(
    config: job.JobConfig, source: Source, reader: Executor
) -> AsyncGenerator[job.UploadPart, None]:
    """The messages of an upload: config, audio, and a finish that proves it whole."""
    digest, size = hashlib.sha256(), 0
    yield job.UploadPart(config=config)
    pieces = read_file(Path(source), reader) if isinstance(source, Path | str) else source
    async for piece in pieces:
        for start in range(0, len(piece), MESSAGE_BYTES):
            part = bytes(piece[start : start + MESSAGE_BYTES])
            digest.update(part)
            size += len(part)
            yield job.UploadPart(audio=part)
    yield job.UploadPart(finish=job.UploadFinish(size_bytes=size, sha256=digest.hexdigest()))


async def read_file(path: Path, reader: Executor) -> AsyncGenerator[bytes, None]:
    """Reads a file in pieces of MESSAGE_BYTES, off the event loop."""
    loop = asyncio.get_running_loop()
    file = await loop.run_in_executor(reader, path.open, "rb")
    try:
        while piece := await loop.run_in_executor(reader, file.read, MESSAGE_BYTES):
            yield piece
    finally:
        file.close()
