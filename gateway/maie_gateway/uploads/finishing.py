"""Makes jobs of complete uploads, each exactly once, even if a gateway dies."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator

import structlog

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as job_record
from maie.upload.v1 import upload_pb2 as upload
from maie_core.caller import Caller
from maie_core.errors import StageError
from maie_gateway.intake.pace import Pace, UploadLimits
from maie_gateway.intake.submission import Submissions
from maie_gateway.records.store import JobStore
from maie_gateway.uploads import refusals
from maie_gateway.uploads.lifetime import Lifetime
from maie_gateway.uploads.store import StoredUpload, UploadChangedError, UploadStore
from maie_runtime import folders
from maie_runtime.blobs import Blobs
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

# The parts come from the object store, which may be slow.
READ_SECONDS = 600.0


class Finishing:
    """Makes a job of an upload, of the same id unless its request id has another one.

    Args:
        store: The records of uploads.
        blobs: Has their bytes.
        jobs: The job records.
        submissions: Makes the jobs.
        max_bytes: How large a recording may be.
        lifetime: How long an upload is kept.
    """

    def __init__(
        self,
        *,
        store: UploadStore,
        blobs: Blobs,
        jobs: JobStore,
        submissions: Submissions,
        max_bytes: int,
        lifetime: Lifetime,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._jobs = jobs
        self._submissions = submissions
        self._max_bytes = max_bytes
        self._lifetime = lifetime

    async def finish(
        self, caller: Caller, request: upload.FinishUploadRequest, traceparent: str
    ) -> job_record.JobRecord:
        """Makes a job of a complete upload, or gives the one that it is.

        Raises:
            StageError: As the contract says.
        """
        stored = await self._store.current(caller.tenant, request.upload_id)
        if not stored.state.job_id:
            stored = await self._mark_finishing(stored)
            with structlog.contextvars.bound_contextvars(upload=stored.upload_id):
                stored = await self._finished(stored, request.sha256, caller, traceparent)
        # Also where a gateway died before it.
        await self._store.erase_request(stored)
        await self._blobs.delete_prefix(folders.of_parts(stored.upload_id))
        return (await self._jobs.get_own(stored.state.job_id, caller.tenant)).record

    async def _finished(
        self, stored: StoredUpload, sha256: str, caller: Caller, traceparent: str
    ) -> StoredUpload:
        try:
            made = await self._make_job(stored, sha256, caller, traceparent)
        except StageError as error:
            now = await self._store.get(stored.tenant, stored.upload_id)
            if now.state.job_id:
                # Another call was faster, and the parts are gone.
                return now
            if not error.retryable:
                await self._unmark(stored)
            raise
        await failpoint("upload.after_job")
        return await self._complete(stored, made.job_id)

    async def _mark_finishing(self, stored: StoredUpload) -> StoredUpload:
        """Has an upload take no more bytes, and nobody remove it."""
        size = stored.state.size_bytes if stored.state.HasField("size_bytes") else stored.offset
        if stored.offset < size:
            raise refusals.incomplete(stored.offset, size)
        if stored.state.finishing:  # by a gateway that died, or that does the same now
            return stored
        state = stored.changed()
        state.finishing = True
        self._lifetime.renew(state)
        try:
            return await self._store.replace(stored, state)
        except UploadChangedError:
            return await self._mark_finishing(
                await self._store.current(stored.tenant, stored.upload_id)
            )

    async def _unmark(self, stored: StoredUpload) -> None:
        """Lets an upload be removed that cannot be a job."""
        state = stored.changed()
        state.finishing = False
        try:
            await self._store.replace(stored, state)
        except UploadChangedError:
            log.info("upload.finished_elsewhere")

    async def _make_job(
        self, stored: StoredUpload, sha256: str, caller: Caller, traceparent: str
    ) -> job_record.JobRecord:
        if await self._jobs.exists(stored.upload_id):
            # A gateway died after it.
            return (await self._jobs.get_own(stored.upload_id, caller.tenant)).record
        request = await self._store.request(stored)
        pace = Pace(UploadLimits(max_bytes=self._max_bytes, idle_seconds=READ_SECONDS))
        return await self._submissions.accept(
            self._parts(stored, request.config, sha256),
            caller.tenant,
            traceparent,
            caller.limited_id,
            stored.upload_id,
            pace,
        )

    async def _parts(
        self, stored: StoredUpload, config: job.JobConfig, sha256: str
    ) -> AsyncGenerator[job.UploadPart, None]:
        """The upload as a client would send it at once."""
        digest = hashlib.sha256()
        yield job.UploadPart(config=config)
        for blob in stored.blobs():
            async for piece in self._blobs.read_checked(blob):
                digest.update(piece)
                yield job.UploadPart(audio=piece)
        finish = job.UploadFinish(
            size_bytes=stored.offset, sha256=sha256.lower() or digest.hexdigest()
        )
        yield job.UploadPart(finish=finish)

    async def _complete(self, stored: StoredUpload, job_id: str) -> StoredUpload:
        """Notes the job of an upload."""
        state = stored.changed()
        state.job_id = job_id
        if not state.HasField("size_bytes"):
            state.size_bytes = stored.offset
        del state.parts[:]
        self._lifetime.renew(state)
        try:
            return await self._store.replace(stored, state)
        except UploadChangedError:
            # Another call finishes it as well.
            now = await self._store.get(stored.tenant, stored.upload_id)
            return now if now.state.job_id else await self._complete(now, job_id)
