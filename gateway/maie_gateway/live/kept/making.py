"""Puts the audio of sessions together after their end, one after the other."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import record_pb2 as record
from maie_core.attributes import JOB
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.spans import span
from maie_gateway.conductor import is_audio_due, is_audio_made
from maie_gateway.live.kept.whole import put_together
from maie_gateway.live.settings import LiveSettings
from maie_gateway.records.about import about, about_known
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.store import JobStore
from maie_pipeline.live_session import AUDIO_UNIT
from maie_runtime import folders
from maie_runtime.background import background_tasks
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.session_log import SessionLog
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

ASR = "asr"
# Spreads the scans of gateways that start together.
JITTER = 0.2
# The conductor takes in an event in a moment; after this long, the sweep removes the parts.
TAKEN_IN_SECONDS = 30.0


class AudioMaking:
    """Runs the units that put the audio of sessions together.

    The gateway that ended a session does it at once. Any other one does where that has not
    happened for as long as a session is kept that nobody resumes. Both may do it: the file is the
    same.

    Args:
        broker: Takes the events.
        blobs: Has the parts, and takes the files.
        store: The job records.
        changes: The unfinished jobs.
        gateway: This gateway's name.
        settings: The settings of live speech.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        blobs: Blobs,
        store: JobStore,
        changes: JobChanges,
        gateway: str,
        settings: LiveSettings,
    ) -> None:
        self._broker = broker
        self._blobs = blobs
        self._store = store
        self._changes = changes
        self._gateway = gateway
        self._settings = settings
        self._sessions = SessionLog(broker)
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        # Sessions that this gateway ended, whose jobs are about to go on.
        self._own: set[str] = set()
        # When the audio of a session was first seen to be due.
        self._due_since: dict[str, float] = {}

    def expect(self, session_id: str) -> None:
        """Says that this gateway ended a session, so that its audio is due in a moment."""
        self._own.add(session_id)
        self._look_for_own()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Puts audio together as long as the context lasts."""
        with self._changes.subscribe_active(self._look_for_own):
            async with background_tasks(self._work(), self._look_around()):
                yield

    def _look_for_own(self) -> None:
        for session_id in tuple(self._own):
            known = self._changes.active_jobs.get(session_id)
            if known is not None and known.live:
                continue  # its job goes on in a moment
            self._own.discard(session_id)
            if known is not None and known.audio_due:
                self._waiting.put_nowait(session_id)

    async def _look_around(self) -> None:
        """Finds audio that no gateway puts together."""
        while True:
            jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter, no secret
            await asyncio.sleep(self._settings.sweep_seconds * jitter)
            now = time.monotonic()
            due = {name for name, known in self._changes.active_jobs.items() if known.audio_due}
            self._due_since = {name: self._due_since.get(name, now) for name in due}
            for session_id, since in self._due_since.items():
                if now - since >= self._settings.resume_seconds:
                    self._due_since[session_id] = now
                    self._waiting.put_nowait(session_id)

    async def _work(self) -> None:
        while True:
            session_id = await self._waiting.get()
            with about_known(self._changes, session_id):
                try:
                    await self._make(session_id)
                except StageError as error:
                    # It stays due, and is found again.
                    log.warning("session.audio_not_made", reason=error.reason)

    async def _make(self, session_id: str) -> None:
        """Puts the audio of a session together and reports its unit, unless that is done.

        Of a job that was removed meanwhile nothing is reported, since nobody would remove that.

        Raises:
            StageError: UNAVAILABLE: it is to be done again.
        """
        source = await self._record(session_id)
        unit = _due(source)
        if source is None or unit is None:
            return
        with about(source), span(self._broker.tracer, "maie.live.audio", {JOB: session_id}):
            await self._make_unit(session_id, unit)

    async def _make_unit(self, session_id: str, unit: record.Unit) -> None:
        entries = [logged.entry for logged in await self._sessions.read(session_id)]
        begun = time.monotonic()
        try:
            made = await put_together(session_id, entries, self._blobs)
        except StageError as error:
            if error.code is Code.UNAVAILABLE:
                raise
            await self._report_failure(session_id, unit, error)
            return
        except Exception as error:
            log.error("session.audio_failed", exc_info=error)
            await self._report_failure(session_id, unit, _internal())
            return
        await failpoint("session.after_audio")
        completed = event.UnitCompleted(output=made)
        completed.metrics.processing_duration.FromNanoseconds(
            round((time.monotonic() - begun) * 1e9)
        )
        if _due(await self._record(session_id)) is not None:
            await self._publish(session_id, unit, event.StageEvent(completed=completed))
            log.info("session.audio_made")
        await self._tidy_up(session_id)

    async def _report_failure(self, session_id: str, unit: record.Unit, error: StageError) -> None:
        """Reports that it failed, unless another gateway did it meanwhile."""
        if _due(await self._record(session_id)) is None:
            return
        log.error("session.audio_lost", reason=error.reason)
        failed = event.UnitFailed(failure=error.to_failure(), retryable=error.retryable)
        await self._publish(session_id, unit, event.StageEvent(failed=failed))

    async def _publish(
        self, session_id: str, unit: record.Unit, happened: event.StageEvent
    ) -> None:
        happened.job_id, happened.unit, happened.attempt = session_id, unit.unit, unit.attempt
        happened.worker = self._gateway
        happened.event_time.GetCurrentTime()
        kind = happened.WhichOneof("event")
        await self._broker.publish(
            subjects.event(ASR, session_id),
            happened,
            message_id=f"{session_id}/{unit.unit}/{unit.attempt}/{kind}",
            contested=True,
        )

    async def _tidy_up(self, session_id: str) -> None:
        """Removes the parts once the record names the whole, and everything of a removed job."""
        changed = asyncio.Event()
        with self._changes.subscribe(session_id, changed.set):
            try:
                async with asyncio.timeout(TAKEN_IN_SECONDS):
                    while _due(seen := await self._record(session_id)) is not None:
                        await changed.wait()
                        changed.clear()
            except TimeoutError:
                return
        if seen is None:
            # The job was removed while its audio was put together.
            for folder in folders.all_of_job(session_id):
                await self._blobs.delete_prefix(folder)
        elif is_audio_made(seen):
            await self._blobs.delete_prefix(folders.of_live(session_id))

    async def _record(self, session_id: str) -> record.JobRecord | None:
        """The record of a session's job; None where the job was removed."""
        try:
            return (await self._store.get(session_id)).record
        except StageError as error:
            if error.reason == Reason.JOB_NOT_FOUND:
                return None
            raise


def _internal() -> StageError:
    return StageError(
        Code.INTERNAL,
        Reason.INTERNAL,
        "Something went wrong inside the gateway; its log has the details.",
    )


def _due(source: record.JobRecord | None) -> record.Unit | None:
    """The unit that puts the audio together; None where that is not to be done now."""
    if source is None or not is_audio_due(source):
        return None
    return next(unit for unit in source.units if unit.unit == AUDIO_UNIT)
