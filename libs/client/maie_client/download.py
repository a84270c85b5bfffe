"""Downloads the audio of a job."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import grpc

from maie.job.v1 import job_pb2 as job
from maie_client.errors import ClientError
from maie_client.follow import Backoff, stream_ended
from maie_client.reasons import ClientReason

AudioParts = AsyncGenerator[job.GetAudioResponse, None]
"""The audio of a job: `info` first, then its bytes in order."""


async def whole_audio(get: Callable[[int], AudioParts], patience: timedelta) -> AudioParts:
    """Yields the audio of a job through broken connections, and checks it at the end.

    Args:
        get: Opens a call that begins at a byte.
        patience: How long to retry without success.

    Raises:
        ClientError: The gateway's error, UNAVAILABLE after `patience`, or DATA_LOSS with
            BLOB_CORRUPT: what came is not what was stored.
    """
    backoff, digest = Backoff(patience), hashlib.sha256()
    info, size = job.AudioInfo(), 0
    while not info.sha256 or size < info.size_bytes:
        error = stream_ended()
        try:
            async with aclosing(get(size)) as parts:
                async for part in parts:
                    backoff.reset()
                    if part.HasField("info"):
                        if not info.sha256:
                            yield part
                        info = part.info
                    else:
                        digest.update(part.audio)
                        size += len(part.audio)
                        yield part
        except ClientError as caught:
            if not caught.is_break:
                raise
            error = caught
        if not info.sha256 or size < info.size_bytes:
            await backoff.wait(error)
    if (size, digest.hexdigest()) != (info.size_bytes, info.sha256):
        raise _corrupt()


async def save(parts: AudioParts, path: Path) -> job.AudioInfo:
    """Writes audio to a file, which is there only once it is whole; replaces an older one.

    Raises:
        OSError: The file cannot be written.
        ClientError: As `whole_audio`.
    """
    info = job.AudioInfo()
    temporary = path.with_name(f".{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            async with aclosing(parts):
                async for part in parts:
                    if part.HasField("info"):
                        info = part.info
                    else:
                        await asyncio.to_thread(file.write, part.audio)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return info


def _corrupt() -> ClientError:
    return ClientError(
        grpc.StatusCode.DATA_LOSS,
        ClientReason.BLOB_CORRUPT,
        "The audio that came is not what was stored; check the object store of the mesh.",
    )
