"""Ends sessions that nobody resumed, at whichever gateway they were."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.live.ending.endings import Endings, end_session
from maie_gateway.live.ledger import Ledger
from maie_gateway.live.settings import LiveSettings
from maie_gateway.records.about import about_known
from maie_gateway.records.changes import JobChanges
from maie_runtime.background import background_tasks
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.session_log import FencedError, SessionLog

log = structlog.get_logger()

# Spreads the scans of gateways that start together.
JITTER = 0.2


class Abandoned:
    """Scans the sessions that run. Every gateway does; the log lets one of them end a session.

    A session counts as abandoned once its log has not grown for the time of the settings, by the
    clock of the gateway that scans: a gateway that has a call of it writes more often.

    Args:
        broker: The broker.
        changes: The unfinished jobs.
        endings: Hands sessions to their jobs.
        gateway: This gateway's name.
        settings: The settings of live speech.
    """

    def __init__(
        self,
        broker: Broker,
        changes: JobChanges,
        endings: Endings,
        gateway: str,
        settings: LiveSettings,
    ) -> None:
        self._broker = broker
        self._changes = changes
        self._endings = endings
        self._gateway = gateway
        self._settings = settings
        self._logs = SessionLog(broker)
        # The last place in each session's log, and when it was first seen there.
        self._seen: dict[str, tuple[int, float]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Scans as long as the context lasts."""
        # While the broker is away nobody can write, and nobody can resume.
        with self._broker.subscribe_reconnects(self._seen.clear):
            async with background_tasks(self._look_around()):
                yield

    async def _look_around(self) -> None:
        while True:
            jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter, no secret
            await asyncio.sleep(self._settings.sweep_seconds * jitter)
            await self.scan()

    async def scan(self) -> None:
        """Looks at each session that runs."""
        running = [job_id for job_id, job in self._changes.active_jobs.items() if job.live]
        self._seen = {name: seen for name, seen in self._seen.items() if name in running}
        for session_id in running:
            with about_known(self._changes, session_id):
                try:
                    await self._look_at(session_id)
                except StageError as error:
                    log.warning("session.scan_failed", reason=error.reason)
                    if error.reason == Reason.BROKER_UNAVAILABLE:
                        self._seen.clear()
                        return

    async def _look_at(self, session_id: str) -> None:
        last = await self._logs.last(session_id)
        place = last.place if last is not None else 0
        now = time.monotonic()
        before, since = self._seen.get(session_id, (-1, now))
        if place != before:
            since = now
        self._seen[session_id] = (place, since)
        if last is not None and last.entry.HasField("ended"):
            # The gateway that ended it may have died, unless it is about to complete it.
            if place == before:
                await self._endings.complete(session_id)
        elif now - since >= self._settings.resume_seconds:
            await self._end(session_id)

    async def _end(self, session_id: str) -> None:
        log.info("session.abandoned")
        try:
            ledger = await Ledger.take(self._logs, session_id, self._gateway)
        except FencedError:
            return  # a call resumed it after all
        if ledger is not None and ledger.state.ended is None:
            await end_session(ledger)
        # Without a log, the gateway died before its client knew of the session.
        await self._endings.complete(session_id)
