"""What clients do with resumable uploads."""

from __future__ import annotations

import asyncio

import structlog
import uuid_utils

from maie.upload.v1 import record_pb2 as record
from maie.upload.v1 import upload_pb2 as upload
from maie_core.caller import Caller
from maie_core.errors import invalid
from maie_core.limits import MAX_CLIENT_METADATA_CHARACTERS
from maie_core.reasons import Reason
from maie_gateway.intake.admission import Admission
from maie_gateway.intake.pace import Pace, UploadLimits
from maie_gateway.intake.submission import Submissions
from maie_gateway.intake.upload import too_large
from maie_gateway.records.store import JobStore
from maie_gateway.uploads import refusals
from maie_gateway.uploads.appending import MOST_BYTES, Appending, put_small_parts_together
from maie_gateway.uploads.lifetime import Lifetime
from maie_gateway.uploads.messages import Messages, Pieces, start_of
from maie_gateway.uploads.store import UploadChangedError, UploadStore
from maie_gateway.uploads.view import upload_view
from maie_gateway.vault.data_keys import JobKeys
from maie_runtime import folders
from maie_runtime.blobs import Blobs

log = structlog.get_logger()


class Uploads:
    """The resumable uploads of all tenants.

    Attributes:
        store: Their records.

    Args:
        store: Their records.
        blobs: Takes their bytes.
        jobs: The job records.
        keys: Makes the key of an upload, which is that of its job.
        submissions: Makes jobs of them.
        admission: Limits concurrent uploads and unfinished jobs.
        limits: The limits on one call that appends.
        most_unfinished: How many uploads that are no jobs yet a tenant may have.
        lifetime: How long an upload is kept after its last bytes.
    """

    def __init__(
        self,
        *,
        store: UploadStore,
        blobs: Blobs,
        jobs: JobStore,
        keys: JobKeys,
        submissions: Submissions,
        admission: Admission,
        limits: UploadLimits,
        most_unfinished: int,
        lifetime: Lifetime,
    ) -> None:
        self.store = store
        self._blobs = blobs
        self._jobs = jobs
        self._keys = keys
        self._submissions = submissions
        self._admission = admission
        self._limits = limits
        self._most_unfinished = most_unfinished
        self._lifetime = lifetime

    async def begin(self, tenant: str, request: upload.BeginUploadRequest) -> upload.Upload:
        """Makes an upload.

        Raises:
            StageError: As the contract says.
        """
        await self._check(tenant, request)
        state = record.UploadState()
        if request.HasField("size_bytes"):
            state.size_bytes = request.size_bytes
        state.create_time.GetCurrentTime()
        self._lifetime.renew(state)
        kept = record.UploadRequest(config=request.config, client_metadata=request.client_metadata)
        upload_id = str(uuid_utils.uuid7())
        await self._keys.make(upload_id)
        stored = await self.store.create(tenant, upload_id, state, kept)
        log.info("upload.begun", upload=upload_id, tenant=tenant)
        return upload_view(stored, kept)

    async def get(self, tenant: str, upload_id: str) -> upload.Upload:
        """How far an upload is.

        Raises:
            StageError: NOT_FOUND with UPLOAD_NOT_FOUND, FAILED_PRECONDITION with UPLOAD_EXPIRED,
                or UNAVAILABLE.
        """
        stored = await self.store.current(tenant, upload_id)
        return upload_view(stored, await self.store.request(stored))

    async def append(self, caller: Caller, messages: Messages) -> upload.Upload:
        """Appends what a call sends.

        Raises:
            StageError: As the contract says.
        """
        pace = Pace(self._limits)
        start = await start_of(messages, pace)
        stored = await self.store.current(caller.tenant, start.upload_id)
        if stored.state.finishing or stored.state.job_id:
            raise refusals.finished()
        if start.offset_bytes != stored.offset:
            raise refusals.offset_wrong(stored.offset)
        pieces = Pieces(messages, pace, checks_head=not stored.offset)
        with self._admission.upload(caller.tenant, "", pace, caller.limited_id):
            stored = await put_small_parts_together(self._blobs, self.store, stored)
            appending = Appending(
                blobs=self._blobs,
                store=self.store,
                upload=stored,
                pieces=pieces,
                most_bytes=self._most_bytes(stored.state),
                renewed=self._lifetime.renew,
            )
            running = asyncio.create_task(appending.run(all_or_nothing=start.all_or_nothing))
            try:
                stored = await asyncio.shield(running)
            except asyncio.CancelledError:
                # The client is gone. What it sent is stored nevertheless.
                pace.displace()
                await asyncio.wait({running})
                raise
        return upload_view(stored, await self.store.request(stored))

    async def delete(self, tenant: str, upload_id: str) -> None:
        """Removes an upload that is no job.

        Raises:
            StageError: FAILED_PRECONDITION with UPLOAD_FINISHED; as `get`.
        """
        stored = await self.store.get(tenant, upload_id)
        if stored.state.finishing or stored.state.job_id:
            raise refusals.finished()
        state = stored.changed()
        state.deleting = True
        try:
            await self.store.replace(stored, state)
        except UploadChangedError:
            # Bytes came meanwhile, or another call makes a job of it.
            await self.delete(tenant, upload_id)
            return
        await self.remove(tenant, upload_id)

    async def remove(self, tenant: str, upload_id: str) -> None:
        """Removes all of an upload, and what belongs to its job as well only where there is none.

        Raises:
            StageError: UNAVAILABLE.
        """
        await self._blobs.delete_prefix(folders.of_parts(upload_id))
        is_job = await self._jobs.exists(upload_id)
        await self.store.erase(tenant, upload_id)
        if not is_job:
            await self._keys.destroy(upload_id)
        log.info("upload.removed", upload=upload_id, tenant=tenant)

    async def _check(self, tenant: str, request: upload.BeginUploadRequest) -> None:
        if request.HasField("size_bytes"):
            _check_size(request.size_bytes, min(self._limits.max_bytes, MOST_BYTES))
        if len(request.client_metadata) > MAX_CLIENT_METADATA_CHARACTERS:
            raise invalid(
                Reason.FIELD_INVALID,
                f"The client's metadata has more than {MAX_CLIENT_METADATA_CHARACTERS} characters; "
                "send less.",
                field="client_metadata",
            )
        await self._submissions.settled(tenant, request.config)
        self._admission.check(tenant)
        if await self.store.count_unfinished(tenant) >= self._most_unfinished:
            raise refusals.too_many(self._most_unfinished, tenant)

    def _most_bytes(self, state: record.UploadState) -> int:
        if state.HasField("size_bytes"):
            return state.size_bytes
        return min(self._limits.max_bytes, MOST_BYTES)


def _check_size(size: int, most: int) -> None:
    if size < 0:
        raise invalid(
            Reason.FIELD_INVALID,
            "A recording has no negative size; send its number of bytes, or none.",
            field="size_bytes",
        )
    if not size:
        raise invalid(Reason.AUDIO_EMPTY, "The recording is empty; send a file with sound in it.")
    if size > most:
        raise too_large(most)
