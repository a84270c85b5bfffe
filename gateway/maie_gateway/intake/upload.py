"""Streams a recording from a client into the object store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_core.errors import Code, StageError, invalid
from maie_core.limits import MAX_UPLOAD_PART_BYTES
from maie_core.reasons import Reason
from maie_gateway.intake.content import HEAD_BYTES, check_head
from maie_gateway.intake.metrics import UploadMetrics
from maie_gateway.intake.pace import Pace
from maie_runtime.blob_writer import BlobWriter
from maie_runtime.blobs import Blobs

CheckFinish = Callable[[job.UploadFinish], Awaitable[None]]

# Parts that a client sends together with its finish message arrive well before.
END_SECONDS = 0.5


async def first_config(parts: AsyncIterator[job.UploadPart], pace: Pace) -> job.JobConfig:
    """Receives the first part, which must be the config."""
    part = await pace.next(parts)
    if part is None or part.WhichOneof("part") != "config":
        raise invalid(
            Reason.CONFIG_MISSING, "The first message must be the config; send it before any audio."
        )
    return part.config


async def receive_audio(
    parts: AsyncIterator[job.UploadPart],
    prefix: str,
    blobs: Blobs,
    pace: Pace,
    max_bytes: int,
    metrics: UploadMetrics,
    check: CheckFinish,
) -> common.Blob:
    """Receives the audio and the finish message. A failed upload leaves nothing behind.

    Args:
        parts: What the client sends after the config.
        prefix: The prefix of the recording's key.
        blobs: Takes it.
        pace: How slow the client may be.
        max_bytes: How large the recording may be.
        metrics: Counts it.
        check: Further checks of the finish message.

    Raises:
        StageError: INVALID_ARGUMENT with UPLOAD_INCOMPLETE, AUDIO_EMPTY,
            UPLOAD_OUT_OF_ORDER, UPLOAD_PART_TOO_LARGE or UNSUPPORTED_FORMAT;
            RESOURCE_EXHAUSTED with UPLOAD_TOO_LARGE; DEADLINE_EXCEEDED as
            from `Pace.next`.
    """
    with metrics.upload() as received:
        async with blobs.writer(prefix) as writer:
            try:
                finish = await _write_all(parts, writer, pace, max_bytes)
            finally:
                received(writer.size)
            blob = writer.blob()
            _check_whole(finish, blob)
            await check(finish)
    return blob


def check_same_request(first: job.JobConfig, last: job.JobConfig) -> None:
    """Refuses a finish message whose config names another request than the first config."""
    if first.request_id != last.request_id:
        raise invalid(
            Reason.UPLOAD_OUT_OF_ORDER,
            "The config of the finish message has another request id than the first config; send "
            "the recording again with one.",
            field="upload.finish.config.request_id",
        )


def _check_whole(finish: job.UploadFinish, blob: common.Blob) -> None:
    if (finish.size_bytes, finish.sha256.lower()) != (blob.size_bytes, blob.sha256):
        raise invalid(
            Reason.UPLOAD_INCOMPLETE,
            f"{blob.size_bytes} bytes arrived with SHA-256 {blob.sha256}, which is not what "
            "the finish message says; send the recording again.",
        )
    if not blob.size_bytes:
        raise invalid(Reason.AUDIO_EMPTY, "The recording is empty; send a file with sound in it.")


async def _write_all(
    parts: AsyncIterator[job.UploadPart], writer: BlobWriter, pace: Pace, max_bytes: int
) -> job.UploadFinish:
    head = b""
    while (part := await pace.next(parts)) is not None:
        match part.WhichOneof("part"):
            case "finish":
                await _check_end(parts)
                return part.finish
            case "audio":
                if len(part.audio) > MAX_UPLOAD_PART_BYTES:
                    raise _part_too_large(len(part.audio))
                if writer.size + len(part.audio) > max_bytes:
                    raise too_large(max_bytes)
                if len(head) < HEAD_BYTES:
                    head = (head + part.audio)[:HEAD_BYTES]
                    check_head(head)
                await writer.write(part.audio)
            case _:
                raise _out_of_order()
    # The stream of a cancelled or killed client ends like a complete one.
    raise invalid(
        Reason.UPLOAD_INCOMPLETE,
        "The upload ended without its finish message; send the recording again.",
    )


async def _check_end(parts: AsyncIterator[job.UploadPart]) -> None:
    """Refuses parts that arrive right after the finish message.

    Most clients end their side with it. The gateway does not wait for one that
    keeps it open, and ignores parts that it sends later.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            if await anext(parts, None) is not None:
                raise _out_of_order()


def _out_of_order() -> StageError:
    return invalid(
        Reason.UPLOAD_OUT_OF_ORDER,
        "Send the config, then audio, and finish as the last message; send the recording again in "
        "this order.",
    )


def _part_too_large(size: int) -> StageError:
    return invalid(
        Reason.UPLOAD_PART_TOO_LARGE,
        f"A part of {size} bytes is more than {MAX_UPLOAD_PART_BYTES}; cut the recording into "
        "smaller parts, such as of 256 KiB.",
    )


def too_large(max_bytes: int) -> StageError:
    """The error for a recording that is too large."""
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.UPLOAD_TOO_LARGE,
        f"The recording is larger than {max_bytes} bytes; "
        "send a compressed file or cut it into parts.",
    )
