"""Resumable uploads: a recording over connections that break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import AbstractContextManager, aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any, Unpack

import grpc
from google.protobuf.message import Message

from maie.job.v1 import job_pb2 as job
from maie.upload.v1 import upload_pb2 as upload
from maie.upload.v1 import upload_pb2_grpc as upload_grpc
from maie_client.asking import Ask
from maie_client.config import JobOptions, job_config
from maie_client.errors import ClientError
from maie_client.follow import Backoff
from maie_client.reasons import ClientReason
from maie_client.streams import received, stop, write
from maie_client.text import sendable
from maie_client.tracing import Metadata
from maie_client.upload import MESSAGE_BYTES, filename_of, read_file

Calling = Callable[[type[Message]], AbstractContextManager[Metadata]]
Pieces = AsyncIterable[bytes]

FINISH_TIMEOUT_SECONDS = 3600.0
"""A recording is copied within the object store before it is a job."""


class Uploads:
    """Begins, appends to, finishes and deletes uploads; `Client.uploads` has it.

    `send` does all of it. Every method raises ClientError, such as NOT_FOUND with UPLOAD_NOT_FOUND.
    """

    def __init__(
        self,
        stub: Callable[[], upload_grpc.UploadServiceStub],
        ask: Ask,
        calling: Calling,
        patience: timedelta,
    ) -> None:
        self._stub = stub
        self._ask = ask
        self._calling = calling
        self._patience = patience

    async def send(self, path: Path | str, **options: Unpack[JobOptions]) -> job.Job:
        """Uploads a file, through broken connections and at any gateway, and returns its job.

        Raises:
            OSError: The file cannot be read.
        """
        path = Path(path)
        size = (await asyncio.to_thread(path.stat)).st_size
        begun = await self._again(
            lambda: self.begin(job_config(options, filename_of(path)), size_bytes=size)
        )
        return await self.resume(begun.upload_id, path)

    async def resume(self, upload_id: str, path: Path | str) -> job.Job:
        """Goes on with an upload of a file, from wherever it is, and returns its job.

        Raises:
            OSError: The file cannot be read.
        """
        backoff, offset = Backoff(self._patience), -1
        while True:
            try:
                now = await self.get(upload_id)
                if now.offset_bytes > offset:
                    backoff.reset()
                offset = now.offset_bytes
                if now.job_id or offset >= now.size_bytes:
                    return await self.finish(upload_id)
                async with aclosing(read_file(Path(path), offset)) as pieces:
                    await self.append(upload_id, offset, pieces)
            except ClientError as error:
                if not (error.is_break or error.reason == ClientReason.UPLOAD_OFFSET_WRONG):
                    raise
                await backoff.wait(error)

    async def begin(
        self, config: job.JobConfig, *, size_bytes: int | None = None, client_metadata: str = ""
    ) -> upload.Upload:
        """Begins an upload.

        Args:
            config: What to do with the recording.
            size_bytes: How large it is, if that is known.
            client_metadata: A text of the caller's own, which comes back with the upload.
        """
        request = upload.BeginUploadRequest(
            config=config, size_bytes=size_bytes, client_metadata=sendable(client_metadata)
        )
        begun: upload.BeginUploadResponse = await self._ask(self._stub().BeginUpload, request)
        return begun.upload

    async def append(
        self, upload_id: str, offset: int, pieces: Pieces, *, all_or_nothing: bool = False
    ) -> upload.Upload:
        """Appends bytes to an upload; what came before a break is kept.

        Args:
            upload_id: The upload.
            offset: How many bytes it has.
            pieces: What follows.
            all_or_nothing: Whether nothing is kept where `pieces` raises or the call breaks.
        """
        start = upload.AppendStart(
            upload_id=sendable(upload_id), offset_bytes=offset, all_or_nothing=all_or_nothing
        )
        with self._calling(upload.AppendUploadRequest) as metadata:
            call = self._stub().AppendUpload(metadata=metadata)
            sending = asyncio.create_task(_send(call, start, pieces))
            try:
                appended: upload.AppendUploadResponse = await received(call, sending)
                await sending  # raises what `pieces` raised
                return appended.upload
            finally:
                await stop(call, sending)

    async def get(self, upload_id: str) -> upload.Upload:
        """Returns how far an upload is, and the job that it became."""
        request = upload.GetUploadRequest(upload_id=sendable(upload_id))
        found: upload.GetUploadResponse = await self._ask(self._stub().GetUpload, request)
        return found.upload

    async def finish(self, upload_id: str, *, sha256: str = "") -> job.Job:
        """Makes a job of a complete upload; each time the same.

        Args:
            upload_id: The upload.
            sha256: What the recording must be, as 64 hexadecimal digits; empty: anything.
        """
        request = upload.FinishUploadRequest(upload_id=sendable(upload_id), sha256=sendable(sha256))
        with self._calling(upload.FinishUploadRequest) as metadata:
            finished: upload.FinishUploadResponse = await self._stub().FinishUpload(
                request, timeout=FINISH_TIMEOUT_SECONDS, metadata=metadata
            )
        return finished.job

    async def delete(self, upload_id: str) -> None:
        """Removes an upload that is no job, and its bytes."""
        request = upload.DeleteUploadRequest(upload_id=sendable(upload_id))
        await self._ask(self._stub().DeleteUpload, request)

    async def _again(self, call: Callable[[], Awaitable[upload.Upload]]) -> upload.Upload:
        backoff = Backoff(self._patience)
        while True:
            try:
                return await call()
            except ClientError as error:
                if not error.is_break:
                    raise
                await backoff.wait(error)


async def _send(call: Any, start: upload.AppendStart, pieces: Pieces) -> None:
    """Writes the messages of a call. Returns early if the call has ended: its status says why."""
    try:
        await call.wait_for_connection()
        await write(call, upload.AppendUploadRequest(start=start))
        size = 0
        async for piece in _cut(pieces):
            size += len(piece)
            await write(call, upload.AppendUploadRequest(audio=piece))
        end = upload.AppendEnd(size_bytes=size)
        await write(call, upload.AppendUploadRequest(end=end))
        await call.done_writing()
    except (grpc.aio.AioRpcError, grpc.aio.InternalError):
        return
    except Exception:
        if start.all_or_nothing:
            call.cancel()
        else:
            await call.done_writing()
        raise


async def _cut(pieces: Pieces) -> AsyncGenerator[bytes, None]:
    async for piece in pieces:
        for start in range(0, len(piece), MESSAGE_BYTES):
            yield bytes(piece[start : start + MESSAGE_BYTES])
