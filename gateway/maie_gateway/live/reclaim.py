"""Takes a session back for words that its client may never send again.

A call that loses its session to a later one may have messages that are not durable. The client of
the later call sends them again, unless its connection falls as well and nobody comes back. So a
gateway keeps them until they are durable, wherever that happens, or until no call has the session
any more: then it takes the session and sends them in the client's place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.live.ledger import Ledger
from maie_gateway.live.settings import LiveSettings
from maie_gateway.live.tracks.pending import PendingMessages
from maie_gateway.records.changes import JobChanges
from maie_runtime.background import end
from maie_runtime.bus.session_log import SessionLog

log = structlog.get_logger()

# A call that has a session writes to its log each third of the time after which the session counts
# as abandoned. One that did not twice has let it go; the rest of the time is left to take it back.
SILENT_SHARE = 5 / 6
# How often the log is read in that time.
READINGS = 60

# Goes on with a session that was taken back, in the trace of its job.
Serve = Callable[[Ledger, PendingMessages, str], None]


class Reclaims:
    """The sessions of which a gateway keeps messages while later calls have them.

    Args:
        log: The logs of sessions.
        changes: The unfinished jobs.
        settings: The settings of live speech.
        gateway: This gateway's name.
        serve: Called with each session that was taken back.
    """

    def __init__(
        self,
        log: SessionLog,
        changes: JobChanges,
        settings: LiveSettings,
        gateway: str,
        serve: Serve,
    ) -> None:
        self._log = log
        self._changes = changes
        self._settings = settings
        self._gateway = gateway
        self._serve = serve
        self._kept: dict[str, Reclaim] = {}
        self._waiting: set[asyncio.Task[None]] = set()

    def keep(self, session_id: str, pending: PendingMessages, traceparent: str) -> None:
        """Keeps the messages of a call that lost its session."""
        if (kept := self._kept.get(session_id)) is not None:
            kept.pending.merge(pending)
        elif pending:
            kept = self._kept[session_id] = Reclaim(
                log=self._log,
                session_id=session_id,
                pending=pending,
                active=lambda: session_id in self._changes.active,
                resume_seconds=self._settings.resume_seconds,
                gateway=self._gateway,
            )
            waiting = asyncio.create_task(self._wait(kept, traceparent))
            self._waiting.add(waiting)
            waiting.add_done_callback(self._waiting.discard)

    def release(self, session_id: str, epoch: int) -> None:
        """Says that a call at this gateway has let a session go."""
        if (kept := self._kept.get(session_id)) is not None:
            kept.release(epoch)

    async def _wait(self, kept: Reclaim, traceparent: str) -> None:
        try:
            if (ledger := await kept.wait()) is not None:
                self._serve(ledger, kept.pending, traceparent)
        except StageError as error:
            log.warning("session.not_taken_back", reason=error.reason)
        finally:
            del self._kept[kept.session_id]

    async def stop(self, seconds: float) -> None:
        """Takes back what no call has, and leaves the rest to the calls that have it."""
        for kept in self._kept.values():
            kept.stop()
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=seconds)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Drops what is left at the end."""
        try:
            yield
        finally:
            await end(*self._waiting)


class Reclaim:
    """What a gateway keeps of a session that a later call has.

    Args:
        log: The logs of sessions.
        session_id: The session.
        pending: Its messages that are not durable.
        active: Says whether its job goes on.
        resume_seconds: After this long without an entry the session counts as abandoned.
        gateway: This gateway's name.
    """

    def __init__(
        self,
        *,
        log: SessionLog,
        session_id: str,
        pending: PendingMessages,
        active: Callable[[], bool],
        resume_seconds: float,
        gateway: str,
    ) -> None:
        self.session_id = session_id
        self.pending = pending
        self._log = log
        self._active = active
        self._resume_seconds = resume_seconds
        self._gateway = gateway
        self._ledger: Ledger | None = None
        # When the log was last seen to have grown.
        self._grown = time.monotonic()
        self._released = 0
        self._stops = False
        self._news = asyncio.Event()

    def release(self, epoch: int) -> None:
        """Says that the call of an epoch, which was at this gateway, has let the session go."""
        self._released = max(self._released, epoch)
        self._news.set()

    def stop(self) -> None:
        """Says that the gateway stops: what another call has is left to that."""
        self._stops = True
        self._news.set()

    async def wait(self) -> Ledger | None:
        """Waits until no call has the session, and takes it.

        Returns:
            The session's ledger; None once there is nothing left to do.

        Raises:
            StageError: DATA_LOSS with UNREADABLE.
        """
        while self._active():
            self._news.clear()
            try:
                if (ledger := await self._read()) is None:
                    return None
                if self._is_free(ledger):
                    if await ledger.take_back(self._gateway):
                        log.info("session.taken_back", epoch=ledger.state.epoch)
                        return ledger
                    continue  # a call took it first
            except StageError as error:
                if error.reason != Reason.BROKER_UNAVAILABLE:
                    raise
                # Nobody can write meanwhile, either.
                self._grown = time.monotonic()
            if self._stops:
                return None
            with suppress(TimeoutError):
                async with asyncio.timeout(self._resume_seconds / READINGS):
                    await self._news.wait()
        return None

    async def _read(self) -> Ledger | None:
        """The session as it is; None where it has ended, or all messages are durable."""
        if self._ledger is None:
            self._ledger = await Ledger.read(self._log, self.session_id)
        elif await self._ledger.catch_up():
            self._grown = time.monotonic()
        if self._ledger is None or self._ledger.state.ended is not None:
            return None
        self.pending.settle(self._ledger.state.durable)
        return self._ledger if self.pending else None

    def _is_free(self, ledger: Ledger) -> bool:
        """Whether no call has the session."""
        silent = time.monotonic() - self._grown >= self._resume_seconds * SILENT_SHARE
        return silent or ledger.state.epoch == self._released
