"""Keeps the read model in step with the job records."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import structlog

from maie.job.v1 import record_pb2 as record
from maie_core.errors import StageError
from maie_gateway.readmodel.backlog import Backlog, Waiting
from maie_gateway.readmodel.entries import JobEntry, job_entry
from maie_gateway.readmodel.model import ReadModel
from maie_gateway.readmodel.texts import TextIndexer
from maie_gateway.records.store import GONE, JobStore
from maie_gateway.views.results import Results
from maie_runtime.background import background_tasks

log = structlog.get_logger()

# Jobs in one transaction: enough for some thousand a second, few enough that a concurrent list
# waits for some milliseconds only.
BATCH_JOBS = 100
RETRY_SECONDS = 2.0
# Changes within this time are written together, unless a caller waits: a job that takes
# milliseconds is then written once, not once for each step.
REST_SECONDS = 1.0
# How long a list waits for the changes that this gateway has seen; then it is served without them.
SETTLE_SECONDS = 5.0
# How long a removal waits until its data is erased from the disk. The purge of a large index takes
# longer and continues afterwards.
PURGE_SECONDS = 5.0
# The pause between two parts of a purge, for other writers.
PURGE_PAUSE_SECONDS = 0.01
# The rest after a purge, in durations of the purge: purges take at most a tenth of the time.
PURGE_REST = 9


class Projector:
    """Writes the changes of job records into the read model.

    `JobChanges` calls `replay_begun`, `changed`, `gone` and `replay_ended`; none
    of them blocks.
    """

    def __init__(self, model: ReadModel, store: JobStore, results: Results) -> None:
        self._model = model
        self._store = store
        self._texts = TextIndexer(model, store, results)
        self._backlog = Backlog()
        self._news = asyncio.Event()
        self._finished_jobs = asyncio.Event()
        self._removed_jobs = asyncio.Event()
        # Cleared while the disk may still contain removed jobs.
        self._purged = asyncio.Event()
        self._purged.set()
        # Set, and replaced, after each write, successful or not.
        self._wrote = asyncio.Event()
        self._behind = False
        self._asked = asyncio.Event()

    def replay_begun(self) -> None:
        """The watch begins: the current records of all jobs follow."""
        self._backlog.begin_replay()

    def replay_ended(self) -> None:
        """All records have arrived; jobs without one were removed."""
        self._backlog.end_replay()
        self._news.set()

    def changed(self, seen: record.JobRecord, revision: int) -> None:
        """A job's record changed."""
        self._backlog.change(seen, revision)
        self._news.set()

    def gone(self, job_id: str, revision: int = 0) -> None:
        """A job's record was removed; older revisions are ignored."""
        self._backlog.remove(job_id, revision)
        self._news.set()

    async def settled(self) -> None:
        """Returns when all changes seen so far are written, or after `SETTLE_SECONDS`.

        It does not wait where the database does not answer, nor for texts.
        """
        self._asked.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while self._backlog.replaying and not self._behind:
                    await self._wrote.wait()
                ticket = self._backlog.ticket
                while not (self._behind or self._backlog.written(ticket)):
                    await self._wrote.wait()

    async def purged(self) -> None:
        """Returns when all removed jobs are erased from the disk, or after `PURGE_SECONDS`."""
        await self.settled()
        with suppress(TimeoutError):
            async with asyncio.timeout(PURGE_SECONDS):
                await self._purged.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes while the context lasts."""
        # Texts may be missing from before.
        self._finished_jobs.set()
        async with background_tasks(
            _repeat(self._news, self._write_all),
            _repeat(self._finished_jobs, self._index_texts),
            _repeat(self._removed_jobs, self._purge),
        ):
            yield

    async def _write_all(self) -> None:
        """Writes the backlog, after a short delay unless a caller waits for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(REST_SECONDS):
                await self._asked.wait()
        self._asked.clear()
        try:
            await self._write()
            self._behind = False
        except Exception:
            self._behind = True
            raise
        finally:
            self._tell()

    async def _write(self) -> None:
        await self._compare()
        while batch := self._backlog.take(BATCH_JOBS):
            await self._write_batch(batch)
            self._backlog.done()
            self._tell()

    async def _compare(self) -> None:
        """After a replay, finds missing and outdated rows of the database."""
        replay = self._backlog.replay
        if replay is None:
            return
        known = await self._model.revisions()
        if replay is self._backlog.replay:  # or else another has begun meanwhile
            self._backlog.compare(known)
            self._tell()

    async def _write_batch(self, batch: Mapping[str, Waiting]) -> None:
        entries = await asyncio.gather(
            *(self._entry(job_id, waiting) for job_id, waiting in batch.items())
        )
        found = [entry for entry in entries if entry is not None]
        await self._model.apply_all(found)
        gone = batch.keys() - {entry.job_id for entry in found}
        for job_id in gone:
            await self._model.remove(job_id)
        if gone:
            self._purged.clear()
            self._removed_jobs.set()
        if any(entry.text_wanted for entry in found):
            self._finished_jobs.set()

    async def _entry(self, job_id: str, waiting: Waiting) -> JobEntry | None:
        """A job's row; None where the job was removed."""
        if waiting.revision is None:
            return None
        if waiting.record is not None:
            return job_entry(waiting.record, waiting.revision)
        try:
            stored = await self._store.get(job_id)
        except StageError as error:
            if error.reason in GONE:
                return None
            raise
        return job_entry(stored.record, stored.revision)

    async def _index_texts(self) -> None:
        while await self._texts.index_some():
            pass

    async def _purge(self) -> None:
        began = time.monotonic()
        more = True
        while more:
            more = await self._model.purge()
            await asyncio.sleep(PURGE_PAUSE_SECONDS)
        if not self._removed_jobs.is_set():
            self._purged.set()
        # Each purge rewrites the whole index; jobs removed meanwhile go with the next one.
        await asyncio.sleep((time.monotonic() - began) * PURGE_REST)

    def _tell(self) -> None:
        self._wrote.set()
        self._wrote = asyncio.Event()


async def _repeat(wanted: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    """Runs the work each time it is requested, and retries where a store does not answer."""
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            await work()
        except StageError as error:
            log.warning("readmodel.behind", reason=error.reason)
        except Exception as error:  # noqa: BLE001 - otherwise lists would stall silently
            # Only the error's type: a database's message may quote the text of a recording.
            log.error("readmodel.broken", error=type(error).__name__)
        else:
            continue
        await asyncio.sleep(RETRY_SECONDS)
        wanted.set()
