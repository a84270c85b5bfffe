"""Removes a job and all of its traces."""

from __future__ import annotations

import asyncio
import time

import structlog
from opentelemetry.trace import Span

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import record_pb2 as record
from maie_core.attributes import JOB
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_core.spans import span
from maie_core.trace_context import span_context_of
from maie_gateway.conductor import FINAL_STATES
from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.engine.loop import Conductor
from maie_gateway.intake.requests import Requests
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.markers import REMOVAL_MARKER_SECONDS
from maie_gateway.records.store import JobStore, RevisionConflictError
from maie_gateway.vault.data_keys import JobKeys
from maie_runtime import folders
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.erasing import erase_all
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

# A stopped worker sends its last message well before this.
LATE_SECONDS = 30.0


class Removal:
    """Removes jobs.

    The record goes last: if a gateway dies during a removal, the record remains
    and the removal can be repeated. Until then, readers see a cancelled or
    finished job.

    Args:
        broker: Has the job's messages.
        blobs: Has its recording and results.
        store: The job records.
        conductor: Cancels an unfinished job.
        requests: Has its request id.
        changes: Notified of each removed record.
        keys: Has its key, where it is encrypted.
        marker_seconds: How long the marker of a removed job is kept, at least 1, for
            gateways that were disconnected.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        blobs: Blobs,
        store: JobStore,
        conductor: Conductor,
        requests: Requests,
        changes: JobChanges,
        keys: JobKeys,
        marker_seconds: int = REMOVAL_MARKER_SECONDS,
    ) -> None:
        self._broker = broker
        self._blobs = blobs
        self._store = store
        self._conductor = conductor
        self._requests = requests
        self._changes = changes
        self._keys = keys
        self._marker_seconds = marker_seconds
        self._removed_at: dict[str, float] = {}

    async def remove(self, job_id: str) -> None:
        """Removes a job; an unfinished one is cancelled first.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND, or UNAVAILABLE: call it again.
        """
        attributes = {JOB: job_id}
        with (
            structlog.contextvars.bound_contextvars(job=job_id),
            span(self._broker.tracer, "maie.job.remove", attributes) as removal,
        ):
            while not await self._remove(job_id, removal):
                pass
            await failpoint("removal.after_record")
            self._removed_at[job_id] = time.monotonic()
            log.info("job.removed")

    async def remove_late_traces(self) -> None:
        """Removes events and objects that workers stored of removed jobs until they stopped.

        Call it periodically. If this gateway dies before, the sweep removes them
        as traces of a job that does not exist.
        """
        latest = time.monotonic() - LATE_SECONDS
        for job_id in [job_id for job_id, when in self._removed_at.items() if when <= latest]:
            await self.remove_traces(job_id)
            del self._removed_at[job_id]

    async def remove_traces(self, job_id: str) -> None:
        """Removes a job's messages and stored objects."""
        await asyncio.gather(
            *(self._erase(*place) for place in _erased_places(job_id)),
            *(self._purge(*place) for place in _purged_places(job_id)),
            *(self._blobs.delete_prefix(folder) for folder in folders.all_of_job(job_id)),
        )

    async def _remove(self, job_id: str, removal: Span) -> bool:
        """Removes a job; returns False where it changed meanwhile, as by a retry."""
        stored = await self._store.get(job_id)
        # The span is in the caller's trace, or in one of its own: the job's may be days old.
        if (named := span_context_of(stored.record.traceparent)) is not None:
            removal.add_link(named)
        if stored.record.state not in FINAL_STATES:
            cancel = event.StageEvent(job_id=job_id, cancel_requested=event.CancelRequested())
            await self._conductor.take(job_id, [cancel])
            return False
        await self._remove_summaries(stored.record)
        await self.remove_traces(job_id)
        await self._forget_request(stored.record)
        await self._store.erase_names(job_id)
        await failpoint("removal.after_traces")
        try:
            revision = await self._store.delete(stored, marker_seconds=self._marker_seconds)
        except RevisionConflictError:
            return False
        self._changes.note_gone(job_id, revision)
        await failpoint("removal.before_key")
        await self.destroy_key(job_id)
        return True

    async def _remove_summaries(self, of: record.JobRecord) -> None:
        """Removes the jobs that summarise a job's transcript, which have its text."""
        for job_id in of.summary_job_ids:
            try:
                await self.remove(job_id)
            except StageError as error:
                # It was removed before, or never began.
                if error.reason != Reason.JOB_NOT_FOUND:
                    raise

    async def destroy_key(self, job_id: str) -> None:
        """Destroys the key of a job that is gone: whatever is left of it cannot be read again."""
        await self._keys.destroy(job_id)

    async def _forget_request(self, gone: record.JobRecord) -> None:
        if gone.config.request_id:
            await self._requests.forget(tenant_of_record(gone), gone.config.request_id, gone.job_id)

    async def _erase(self, stream: str, subject: str) -> None:
        try:
            await erase_all(self._broker, stream, subject)
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error

    async def _purge(self, stream: str, subject: str) -> None:
        try:
            await self._broker.jetstream.purge_stream(stream, subject=subject)
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error


def _erased_places(job_id: str) -> list[tuple[str, str]]:
    """The streams and subjects of a job's messages that are removed one by one.

    Somebody takes them from a queue, or they contain text of the client's.
    """
    return [
        (subjects.TASKS, subjects.tasks_of_job(job_id)),
        (subjects.EVENTS, subjects.event("*", job_id)),
        (subjects.FINALS, subjects.finals_of_session(job_id)),
        (subjects.DEAD_LETTERS, subjects.dead_letter("*", job_id)),
        (subjects.WEBHOOKS, subjects.webhooks_of_job(job_id)),
        (subjects.SESSIONS, subjects.session(job_id)),
        (
            subjects.bucket_stream(subjects.SHARES),
            subjects.bucket_subject(subjects.SHARES, subjects.share("*", job_id, "*")),
        ),
    ]


def _purged_places(job_id: str) -> list[tuple[str, str]]:
    """The streams and subjects of a job's other messages."""
    return [
        (subjects.RETURNS, subjects.returned_of_job(job_id)),
        (
            subjects.bucket_stream(subjects.FEEDS),
            subjects.bucket_subject(subjects.FEEDS, f"{job_id}.>"),
        ),
    ]
