"""The summaries of sessions that have ended, once their jobs have them."""

from __future__ import annotations

import asyncio

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.live.v1 import live_pb2 as live
from maie_core.errors import StageError
from maie_core.reasons import Reason, WarningReason
from maie_gateway.conductor import FINAL_STATES
from maie_gateway.live.config import SUMMARY_NOT_REQUESTED
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.store import GONE, JobStore
from maie_gateway.views.results import Results, has_summary

# Changes come over the watch of the bucket; this bounds the wait where one is missed.
POLL_SECONDS = 2.0


class Summaries:
    """Waits for the jobs of sessions.

    Args:
        store: The job records.
        changes: Notifies of changes of them.
        results: Reads what jobs made.
    """

    def __init__(self, store: JobStore, changes: JobChanges, results: Results) -> None:
        self._store = store
        self._changes = changes
        self._results = results

    async def summary(self, session_id: str) -> live.SessionSummary:
        """Waits for a session's summary; gives it, or why there is none once the job is finished.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE, or DATA_LOSS where the stored summary
                is damaged.
        """
        try:
            done = await self._decided(session_id)
            async with self._store.reading(session_id):
                return await self._summary(done)
        except StageError as error:
            if error.reason in GONE:
                return _missing(error.reason, error.message)
            raise

    async def _decided(self, job_id: str) -> record.JobRecord:
        """The job once it has a summary, or will have none."""
        changed = asyncio.Event()
        with self._changes.subscribe(job_id, changed.set):
            seen = await self._read(job_id)
            while seen.state not in FINAL_STATES and not has_summary(seen):
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    seen = await self._read(job_id)
                else:
                    stored = self._changes.recent(job_id)
                    seen = stored.record if stored else await self._read(job_id)
                changed.clear()
        return seen

    async def _read(self, job_id: str) -> record.JobRecord:
        stored = await self._store.get(job_id)
        self._changes.note(stored)
        return stored.record

    async def _summary(self, done: record.JobRecord) -> live.SessionSummary:
        made = await self._results.summary(done)
        if made is not None:
            return live.SessionSummary(summary=made.summary, warnings=made.warnings)
        if done.state == job.JOB_STATE_CANCELLED:
            return _missing(
                WarningReason.JOB_CANCELLED,
                "The job was cancelled before its summary was there; retry it for one.",
            )
        failures = [unit.failure for unit in done.units if unit.HasField("failure")]
        if failures:
            return _missing(failures[0].reason, failures[0].message)
        return _missing(Reason.SUMMARY_NOT_REQUESTED, SUMMARY_NOT_REQUESTED)


def _missing(reason: str, message: str) -> live.SessionSummary:
    return live.SessionSummary(missing=common.Warning(reason=reason, message=message))
