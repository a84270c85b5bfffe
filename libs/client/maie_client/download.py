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


async def stored_audio(
    get: Callable[[int, int], AudioParts],
    patience: timedelta,
    start_byte: int = 0,
    max_bytes: int = 0,
) -> AudioParts:
    """Yields the audio of a job, or a part, through broken connections; checks the whole.

    Args:
        get: Opens a call that begins at a byte and gives so many at most; 0: all that follow.
        patience: How long to retry without success.
        start_byte: The first byte to get.
        max_bytes: The most bytes to get; 0: all that follow.

    Raises:
        ClientError: The gateway's error, UNAVAILABLE after `patience`, or DATA_LOSS with
            BLOB_CORRUPT: what came is not what was stored.
    """
    backoff, digest = Backoff(patience), hashlib.sha256()
    info, place = job.AudioInfo(), start_byte

    def left() -> int:
        """How many bytes are missing; 0 for an unknown number."""
        if not info.sha256:
            return max_bytes
        last = min(info.size_bytes, start_byte + max_bytes) if max_bytes else info.size_bytes
        return last - place

    while not info.sha256 or left():
        error = stream_ended()
        try:
            async with aclosing(get(place, left() if max_bytes else 0)) as parts:
                async for part in parts:
                    backoff.reset()
                    if part.HasField("info"):
                        if not info.sha256:
                            yield part
                        info = part.info
                    else:
                        digest.update(part.audio)
                        place += len(part.audio)
                        yield part
        except ClientError as caught:
            if not caught.is_break:
                raise
            error = caught
        if left() < 0:
            raise _corrupt()
        if not info.sha256 or left():
            await backoff.wait(error)
    is_whole = not start_byte and place == info.size_bytes
    if is_whole and digest.hexdigest() != info.sha256:
        raise _corrupt()


async def save(parts: AudioParts, path: Path) -> job.AudioInfo:
    """Writes audio to a file, which is there only once it is whole; replaces an older one.

    Raises:
        OSError: The file cannot be written.
        ClientError: As `stored_audio`.
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
