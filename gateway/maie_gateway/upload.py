"""Takes a recording from a client, piece by piece, into the object store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePath

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_runtime.blobs import Blobs, BlobWriter
from maie_runtime.errors import Code, StageError, invalid

EXTENSIONS = frozenset(
    (
        *(".wav", ".mp3", ".m4a", ".m4b", ".aac", ".flac", ".ogg", ".oga", ".opus"),
        *(".webm", ".mkv", ".mka", ".mp4", ".mov"),
    )
)


@dataclass(kw_only=True, frozen=True, slots=True)
class UploadLimits:
    """What an upload may be.

    Attributes:
        max_bytes: The largest recording.
        idle_seconds: The longest silence between two parts.
    """

    max_bytes: int
    idle_seconds: float


async def first_config(parts: AsyncIterator[job.UploadPart], limits: UploadLimits) -> job.JobConfig:
    """Takes the first part, which must be the config."""
    part = await _next(parts, limits)
    if part is None or part.WhichOneof("part") != "config":
        raise invalid(
            "CONFIG_MISSING", "The first message must be the config; send it before any audio."
        )
    return part.config


def check_extension(filename: str) -> None:
    """Refuses a file whose name says that it is no recording.

    What it really is, preprocess finds out from its content.
    """
    extension = PurePath(filename).suffix.lower()
    if extension and extension not in EXTENSIONS:
        raise invalid(
            "UNSUPPORTED_FORMAT",
            f"A file ending in {extension[:16]!r} is not a recording; "
            "send wav, mp3, m4a, flac, ogg, opus, webm or mp4.",
            field="config.filename",
        )


async def receive_audio(
    parts: AsyncIterator[job.UploadPart], key: str, blobs: Blobs, limits: UploadLimits
) -> common.Blob:
    """Takes the audio and the finish message. An upload that fails leaves nothing.

    Raises:
        StageError: INVALID_ARGUMENT with UPLOAD_INCOMPLETE, AUDIO_EMPTY or
            UPLOAD_OUT_OF_ORDER; RESOURCE_EXHAUSTED with UPLOAD_TOO_LARGE;
            DEADLINE_EXCEEDED with UPLOAD_IDLE.
    """
    async with blobs.writer(key) as writer:
        finish = await _write_all(parts, writer, limits)
        blob = writer.blob()
        if (finish.size_bytes, finish.sha256.lower()) != (blob.size_bytes, blob.sha256):
            raise invalid(
                "UPLOAD_INCOMPLETE",
                f"{blob.size_bytes} bytes arrived with SHA-256 {blob.sha256}, which is not what "
                "the finish message says; send the recording again.",
            )
        if not blob.size_bytes:
            raise invalid("AUDIO_EMPTY", "The recording is empty; send a file with sound in it.")
    return blob


async def _write_all(
    parts: AsyncIterator[job.UploadPart], writer: BlobWriter, limits: UploadLimits
) -> job.UploadFinish:
    while (part := await _next(parts, limits)) is not None:
        match part.WhichOneof("part"):
            case "finish":
                return part.finish
            case "audio":
                if writer.size + len(part.audio) > limits.max_bytes:
                    raise _too_large(limits)
                await writer.write(part.audio)
            case _:
                raise invalid(
                    "UPLOAD_OUT_OF_ORDER", "After the config, only audio and then finish may come."
                )
    # A client that was cancelled or killed looks like one that is done.
    raise invalid(
        "UPLOAD_INCOMPLETE",
        "The upload ended without its finish message; send the recording again.",
    )


def _too_large(limits: UploadLimits) -> StageError:
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        "UPLOAD_TOO_LARGE",
        f"The recording is larger than {limits.max_bytes} bytes; "
        "send a compressed file or cut it into parts.",
    )


async def _next(
    parts: AsyncIterator[job.UploadPart], limits: UploadLimits
) -> job.UploadPart | None:
    try:
        async with asyncio.timeout(limits.idle_seconds):
            return await anext(parts, None)
    except TimeoutError:
        raise StageError(
            Code.DEADLINE_EXCEEDED,
            "UPLOAD_IDLE",
            f"Nothing was sent for {limits.idle_seconds:g} seconds; send the recording again.",
        ) from None
