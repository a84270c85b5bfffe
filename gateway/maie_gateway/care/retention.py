"""Removes expired jobs, and data that belongs to no job."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog

from maie.job.v1 import record_pb2 as record
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.audit.log import AuditLog
from maie_gateway.care.removal import Removal
from maie_gateway.care.tenant_removal import TenantRemoval
from maie_gateway.conductor import FINAL_STATES, is_audio_made
from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.records.about import about
from maie_gateway.records.store import GONE, JobStore
from maie_gateway.settings import RetentionSettings
from maie_gateway.templates.own import OwnTemplates
from maie_gateway.uploads.uploads import Uploads
from maie_gateway.voices.voices import Voices
from maie_runtime import folders
from maie_runtime.background import background_tasks
from maie_runtime.blobs import Blobs, StoredObject
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import (
    BROKER_ERRORS,
    Broker,
    broker_unavailable,
)
from maie_runtime.bus.errors import NatsError
from maie_runtime.bus.stored_subjects import stored_subjects, stream_info
from maie_runtime.ids import made_at

log = structlog.get_logger()

_JOB_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STREAMS_OF_JOBS = (
    subjects.TASKS,
    subjects.EVENTS,
    subjects.DEAD_LETTERS,
    subjects.WEBHOOKS,
    subjects.FINALS,
    subjects.RETURNS,
    subjects.SESSIONS,
    subjects.bucket_stream(subjects.FEEDS),
    subjects.bucket_stream(subjects.SHARES),
)
OWNERS = "mesh"
"""The folder of the note that names the broker whose jobs own the stored objects."""
# Spreads the sweeps of gateways that start together.
JITTER = 0.2


class Sweeper:
    """Sweeps periodically. Several gateways may sweep at once.

    JetStream itself expires events, dead letters and request ids. All other data
    belongs to a job and is removed with it. Data that a crash left without a job,
    or twice in one, is removed after its lifetime.
    """

    def __init__(
        self,
        broker: Broker,
        blobs: Blobs,
        store: JobStore,
        removal: Removal,
        uploads: Uploads,
        templates: OwnTemplates,
        voices: Voices,
        tenants: TenantRemoval,
        settings: RetentionSettings,
        audit: AuditLog,
    ) -> None:
        self._uploads = uploads
        self._templates = templates
        self._voices = voices
        self._tenants = tenants
        self._audit = audit
        self._broker = broker
        self._blobs = blobs
        self._store = store
        self._removal = removal
        self._settings = settings

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sweeps as long as the context lasts."""
        async with background_tasks(self._sweep_on()):
            yield

    async def _sweep_on(self) -> None:
        while True:
            jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter, no secret
            await asyncio.sleep(self._settings.sweep_seconds * jitter)
            for sweep in (
                self._removal.remove_late_traces,
                self.sweep_jobs,
                self.sweep_uploads,
                self.sweep_messages,
                self.sweep_names,
                self.sweep_templates,
                self.sweep_voices,
                self.sweep_keys,
                self.sweep_tenants,
                self.sweep_blobs,
            ):
                try:
                    await sweep()
                except (StageError, *BROKER_ERRORS) as error:
                    log.warning("sweep.failed", error=str(error) or type(error).__name__)

    async def sweep_jobs(self) -> None:
        """Removes jobs that have been finished for their lifetime."""
        lifetime = timedelta(days=self._settings.jobs_days).total_seconds()
        for job_id in sorted(await self._jobs()):
            if time.time() - made_at(job_id) < lifetime:
                return  # all following jobs are younger
            try:
                seen = (await self._store.get(job_id)).record
                finished = _finished(seen)
                if finished and time.time() - finished >= lifetime:
                    await self._audit.act(
                        "RemoveExpiredJob", tenant=tenant_of_record(seen), job_id=job_id
                    )
                    with about(seen):
                        await self._removal.remove(job_id)
            except StageError as error:
                if error.reason == Reason.JOB_NOT_FOUND:  # another gateway removed it first
                    await self._store.forget_removed(job_id)
                elif error.reason not in GONE:
                    raise

    async def sweep_uploads(self) -> None:
        """Removes resumable uploads that have expired, and the records of those that are jobs."""
        for tenant, upload_id in await self._uploads.store.all_ids():
            if await self._uploads.store.is_over(tenant, upload_id):
                await self._audit.act("RemoveExpiredUpload", tenant=tenant, job_id=upload_id)
                await self._uploads.remove(tenant, upload_id)

    async def sweep_messages(self) -> None:
        """Removes messages of removed jobs, such as the last event of a slow worker."""
        found = [await self._job_ids(stream) for stream in STREAMS_OF_JOBS]
        # Read the records last: a job's record exists before its first message.
        for job_id in set().union(*found) - await self._jobs():
            if await self._is_gone(job_id):
                await self._audit.act("RemoveLeftMessages", job_id=job_id)
                await self._removal.remove_traces(job_id)
                log.info("sweep.messages_removed", job=job_id)

    async def sweep_names(self) -> None:
        """Erases the names of submits whose gateway died before they became a job."""
        named = await self._job_ids(subjects.NAMES)
        # Names are stored before their record: young names may still become a job's.
        before = datetime.now(UTC) - timedelta(hours=self._settings.uploads_hours)
        for job_id in named - await self._jobs():
            if await self._store.named_before(job_id, before) and await self._is_gone(job_id):
                await self._audit.act("EraseLeftNames", job_id=job_id)
                await self._store.erase_names(job_id)
                log.info("sweep.names_erased", job=job_id)

    async def sweep_templates(self) -> None:
        """Erases versions of templates whose gateway died before they were saved, or deleted."""
        lifetime = timedelta(hours=self._settings.uploads_hours)
        for tenant, template_id, content_id in await self._templates.left(lifetime):
            await self._audit.act("EraseLeftTemplate", tenant=tenant, job_id=content_id)
            await self._templates.erase(tenant, template_id, content_id)
            log.info("sweep.template_erased", template=template_id, content=content_id)

    async def sweep_voices(self) -> None:
        """Erases profiles of voices whose gateway died while it deleted them."""
        for tenant, voice_id in await self._voices.left():
            await self._audit.act("EraseLeftVoice", tenant=tenant, voice_id=voice_id)
            await self._voices.erase(tenant, voice_id)
            log.info("sweep.voice_erased", voice=voice_id)

    async def sweep_keys(self) -> None:
        """Destroys the keys of submits that became no job, and of what is half removed."""
        keyed = await self._job_ids(subjects.bucket_stream(subjects.DATA_KEYS))
        # A key is made before its job: a young one may still become a job's.
        youngest = time.time() - timedelta(hours=self._settings.uploads_hours).total_seconds()
        for job_id in keyed - await self._jobs_and_uploads() - await self._others_keys():
            if made_at(job_id) < youngest and await self._is_gone(job_id):
                await self._audit.act("DestroyLeftKey", job_id=job_id)
                await self._removal.destroy_key(job_id)
                log.info("sweep.key_destroyed", job=job_id)

    async def _others_keys(self) -> set[str]:
        """The keys of what is no job: templates and profiles of voices."""
        return await self._templates.key_ids() | await self._voices.key_ids()

    async def sweep_tenants(self) -> None:
        """Goes on with removals of tenants that a gateway or a caller left."""
        for tenant in self._tenants.begun():
            await self._audit.act("RemoveTenant", tenant=tenant)
            await self._tenants.finish(tenant)

    async def sweep_blobs(self) -> None:
        """Removes stored objects of no job, and those of direct calls, after their lifetime."""
        if not await self._owns_blobs():
            log.error("sweep.blobs_of_another_mesh", keep=OWNERS)
            return
        before = datetime.now(UTC) - timedelta(hours=self._settings.uploads_hours)
        await self._blobs.remove_partials(before)
        uploads: defaultdict[str, list[StoredObject]] = defaultdict(list)
        async for upload in self._blobs.stored(folders.UPLOADS):
            uploads[upload.key.split("/")[1]].append(upload)
        for call_id in await self._blobs.children(folders.DIRECT_CALLS):
            await self._remove_if_old(folders.of_direct_call(call_id), before, "")
        with_parts = set(await self._blobs.children(folders.LIVE))
        owners = {*await self._blobs.children(folders.JOBS), *uploads, *with_parts}
        jobs = await self._jobs()
        for job_id in owners - await self._jobs_and_uploads():
            if await self._is_gone(job_id):
                for folder in folders.all_of_job(job_id):
                    await self._remove_if_old(folder, before, job_id)
        for job_id in owners & jobs:
            if len(uploads[job_id]) > 1:
                await self._remove_doubles(job_id, uploads[job_id], before)

        for job_id in with_parts & jobs:
            await self._remove_parts(job_id)

    async def _remove_parts(self, job_id: str) -> None:
        """Removes the parts of a live session's audio that is together: a gateway died before."""
        try:
            seen = (await self._store.get(job_id)).record
        except StageError as error:
            if error.reason in GONE:  # removed meanwhile, with its parts
                return
            raise
        if is_audio_made(seen):
            await self._blobs.delete_prefix(folders.of_live(job_id))
            with about(seen):
                log.info("sweep.parts_removed")

    async def _owns_blobs(self) -> bool:
        """Whether the stored objects belong to jobs of this broker.

        With another broker, all objects would seem to belong to no job. The first
        sweep stores a note that names its broker; to move the objects to a new
        broker, remove the note.
        """
        jobs = subjects.bucket_stream(subjects.JOBS)
        try:
            own = (await stream_info(self._broker.client, jobs))["created"]
        except (NatsError, OSError) as error:
            raise broker_unavailable(error) from error
        note = f"{OWNERS}/{re.sub('[^0-9A-Za-z]', '-', own)}"
        found = [stored.key async for stored in self._blobs.stored(OWNERS)]
        if not found:
            await self._blobs.put(note, b"")
        return found in ([], [note])

    async def _is_gone(self, job_id: str) -> bool:
        """Checks the record again: listing can miss ids that change meanwhile."""
        return not await self._store.exists(job_id)

    async def _remove_if_old(self, folder: str, before: datetime, job_id: str) -> None:
        found = [stored async for stored in self._blobs.stored(folder)]
        if found and all(stored.modified < before for stored in found):
            if job_id:
                await self._audit.act("RemoveLeftObjects", job_id=job_id)
            await self._blobs.delete_prefix(folder)
            log.info("sweep.folder_removed", folder=folder, objects=len(found))

    async def _remove_doubles(
        self, job_id: str, uploads: list[StoredObject], before: datetime
    ) -> None:
        """Removes repeated uploads of a request id, except the recording of its job."""
        try:
            seen = (await self._store.get(job_id)).record
        except StageError as error:
            if error.reason in GONE:  # removed meanwhile, with its uploads
                return
            raise
        for upload in uploads:
            if upload.key != seen.recording.key and upload.modified < before:
                await self._blobs.delete(upload.key)
                with about(seen):
                    log.info("sweep.double_removed")

    async def _jobs_and_uploads(self) -> set[str]:
        """The ids of what may have a key and stored objects."""
        # Uploads first: one that becomes a job is a job before it is no upload.
        uploads = await self._job_ids(subjects.bucket_stream(subjects.UPLOADS))
        return uploads | await self._jobs()

    async def _jobs(self) -> set[str]:
        """The ids of all jobs, and of those that were removed a short while ago."""
        return await self._job_ids(subjects.bucket_stream(subjects.JOBS))

    async def _job_ids(self, stream: str) -> set[str]:
        """The ids in the subjects of a stream's messages."""
        try:
            found = await stored_subjects(self._broker.client, stream)
        except (NatsError, OSError) as error:
            raise broker_unavailable(error) from error
        return {match[0] for subject in found if (match := _JOB_ID.search(subject))}


def _finished(seen: record.JobRecord) -> float:
    """When a job was finished, in seconds of Unix time; 0 for an unfinished one."""
    if seen.state not in FINAL_STATES or not seen.log:
        return 0.0
    return float(seen.log[-1].event_time.ToNanoseconds() / 1e9)
