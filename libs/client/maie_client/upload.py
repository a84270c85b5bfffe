"""Uploads a recording."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from concurrent.futures import Future
from contextlib import ExitStack, aclosing
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import grpc
from google.protobuf.message import Message

from maie.job.v1 import job_pb2 as job
from maie_client.streams import write
from maie_client.text import sendable_name

MESSAGE_BYTES = 256 * 1024
"""The size of the messages: smaller ones reduce throughput, larger ones do not raise it."""

Source = Path | str | AsyncIterable[bytes]
"""A recording: the path of a file, or a stream of its bytes."""


def filename_of(source: Source) -> str:
    """The valid name of a file; empty for bytes."""
    return sendable_name(Path(source).name) if isinstance(source, Path | str) else ""


LateConfig = Callable[[], job.JobConfig | None]
"""Gives the config that counts once the source is read to its end; None: the first one."""


async def send_upload(
    call: Any,  # a StreamStreamCall or StreamUnaryCall, which have no common type
    wrap: Callable[[job.UploadPart], Message],
    config: job.JobConfig,
    source: Source,
    late: LateConfig = lambda: None,
) -> None:
    """Writes a whole upload. Returns early if the call has ended: its status says why.

    Raises:
        OSError: The file cannot be read. The call is cancelled.
    """
    try:
        await call.wait_for_connection()
        async with aclosing(_parts(config, source, late)) as parts:
            async for part in parts:
                await write(call, wrap(part))
        await call.done_writing()
    except (grpc.aio.AioRpcError, grpc.aio.InternalError):
        return
    except BaseException:
        call.cancel()
        raise


async def _parts(
    config: job.JobConfig, source: Source, late: LateConfig
) -> AsyncGenerator[job.UploadPart, None]:
    """The messages of an upload: config, audio, and a finish with its size and hash."""
    digest, size = hashlib.sha256(), 0
    yield job.UploadPart(config=config)
    async with aclosing(_cut(source)) as pieces:
        async for piece in pieces:
            digest.update(piece)
            size += len(piece)
            yield job.UploadPart(audio=piece)
    yield job.UploadPart(
        finish=job.UploadFinish(size_bytes=size, sha256=digest.hexdigest(), config=late())
    )


async def _cut(source: Source) -> AsyncGenerator[bytes, None]:
    if isinstance(source, Path | str):
        async with aclosing(read_file(Path(source))) as pieces:
            async for piece in pieces:
                yield piece
        return
    async for piece in source:
        for start in range(0, len(piece), MESSAGE_BYTES):
            yield bytes(piece[start : start + MESSAGE_BYTES])


async def read_file(path: Path, start: int = 0) -> AsyncGenerator[bytes, None]:
    """Reads a file in pieces of up to MESSAGE_BYTES, off the event loop.

    Args:
        path: The file.
        start: The first byte to read; only a file that can seek has another one than 0.
    """
    wanted: SimpleQueue[Future[bytes] | None] = SimpleQueue()
    # A read of a pipe without a writer never ends: the process does not wait for daemon
    # threads when it ends.
    threading.Thread(
        target=_read, args=(path, wanted, start), name="maie-read", daemon=True
    ).start()
    try:
        while True:
            answer: Future[bytes] = Future()
            wanted.put(answer)
            if not (piece := await asyncio.wrap_future(answer)):
                return
            yield piece
    finally:
        wanted.put(None)


def _read(path: Path, wanted: SimpleQueue[Future[bytes] | None], start: int) -> None:
    """Answers each request with the next piece; opens and closes the file."""
    with ExitStack() as stack:
        file = None
        while (answer := wanted.get()) is not None:
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                if file is None:
                    file = stack.enter_context(path.open("rb", buffering=0))
                    if start:
                        file.seek(start)
                answer.set_result(file.read(MESSAGE_BYTES))
            except OSError as error:
                answer.set_exception(error)
