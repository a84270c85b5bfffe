"""One call of a session: from its first message until the gateway lets the session go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import structlog

from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.live.breaks import (
    go_away,
    gone,
    idle,
    internal,
    out_of_order,
    quiet,
    stopping,
)
from maie_gateway.live.config import check_end
from maie_gateway.live.ending.endings import Endings, end_session
from maie_gateway.live.events import warning
from maie_gateway.live.ledger import durable_event, taken_over
from maie_gateway.live.refinement.enhancers import Enhancers
from maie_gateway.live.refinement.refiner import Refiner
from maie_gateway.live.roster import Roster
from maie_gateway.live.state import SessionState
from maie_gateway.live.tracks.pending import PendingMessages
from maie_gateway.live.tracks.track import LiveTrack
from maie_gateway.live.tracks.track_tools import TrackTools
from maie_runtime.background import background_tasks, end
from maie_runtime.bus.session_log import SessionLog
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

# How often acknowledgements are sent, and clocks are looked at, at least.
TICK_SECONDS = 0.5
# A call that has a session writes to its log at least this often in the time after which the
# session would count as abandoned.
HEARTBEATS = 3

# Failures of a track that the others would have as well.
_OF_SESSION = frozenset(
    {
        Reason.SESSION_TAKEN_OVER,
        Reason.BROKER_UNAVAILABLE,
        Reason.BLOB_STORE_UNAVAILABLE,
        Reason.BLOB_STORE_FULL,
    }
)

# Messages that say what was heard.
_SOUND = frozenset({"audio", "silence"})

Requests = AsyncIterator[live.TranscribeRequest]


class LiveSession:
    """A session while a call has it.

    Args:
        tools: The session's log, its events and what its tracks need.
        sessions: The logs of sessions.
        endings: Hands the session to its job.
        enhancers: The enhancement replicas, for refinements.

    Attributes:
        outbox: The events for the client.
        roster: The tracks.
    """

    def __init__(
        self, tools: TrackTools, sessions: SessionLog, endings: Endings, enhancers: Enhancers
    ) -> None:
        self.outbox = tools.outbox
        self.roster = Roster(tools, self._track_failed)
        self._refiner = Refiner(
            ledger=tools.ledger,
            outbox=tools.outbox,
            enhancers=enhancers,
            settings=tools.settings,
            failed=self._fail,
        )
        self._ledger = tools.ledger
        self._settings = tools.settings
        self._sessions = sessions
        self._endings = endings
        # Set where the call breaks: why, and whether the client may come back in a moment.
        self._broken: asyncio.Future[StageError] = asyncio.get_running_loop().create_future()
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure: StageError | None = None
        self._cancelled = False
        self._lingers = False
        self._client_time = tools.client_time
        self._written = self._heard = time.monotonic()
        self._end = live.EndSession()
        self._ledger.committed = self._committed

    @property
    def state(self) -> SessionState:
        """The session as it is."""
        return self._ledger.state

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self._ledger.state.session_id

    @property
    def tenant(self) -> str:
        """Whose session it is."""
        return self._ledger.state.opened.tenant

    @property
    def awaits_summary(self) -> bool:
        """Whether it has ended, and its client waits for the summary."""
        return self._end.await_summary and self._ledger.state.ended is not None

    @property
    def was_lost(self) -> bool:
        """Whether another call has it, or had it since."""
        return self._lost.done() and not self._cancelled

    @property
    def pending(self) -> PendingMessages:
        """The messages that were not durable when it was lost."""
        return self.roster.pending

    def leave(self) -> None:
        """Says that the client is gone; it may come back in a moment."""
        self._lingers = True
        self._break(gone())

    def drain(self, seconds: float) -> None:
        """Says that the gateway stops, and how long the call is still answered."""
        self.outbox.put(go_away(seconds))

    def stop(self) -> None:
        """Ends the call: utterances are ended, and their finals stored."""
        self._break(stopping())

    def cancel(self) -> None:
        """Ends the session at once, since its job was cancelled or removed."""
        self._cancelled = True
        self._lose()

    def lose(self) -> None:
        """Stops at once, since another call has the session."""
        self.outbox.close(taken_over())
        self._lose()

    async def run(self, requests: Requests) -> None:
        """Serves the call. Returns when the session is over, or left to another call."""
        reading = asyncio.create_task(self._read(requests))
        watching = self._sessions.watching(self.session_id, self._noticed)
        try:
            ticking = background_tasks(self._tick(), self._keep())
            async with watching, self._refiner.running(), ticking:
                over: set[asyncio.Future[Any]] = {reading, self._broken, self._lost}
                await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
                await self._conclude(reading)
        except StageError as error:
            # Whatever could not be stored is sent again to another gateway.
            log.warning("session.broken", reason=error.reason)
            self.outbox.close(error)
        except Exception as error:
            log.error("session.failed", exc_info=error)
            self.outbox.close(internal())
        finally:
            await _stop(reading)
            await self.roster.stop()
            self.outbox.close(taken_over())

    async def _conclude(self, reading: asyncio.Task[None]) -> None:
        if self._lost.done() or self._broken.done():
            # What the client still sends begins no track, and is sent again in another call.
            await _stop(reading)
        if self._lost.done():
            await self._over()
        elif self._broken.done():
            await self._part(self._broken.result())
        elif reading.cancelled():
            # So gRPC ends the messages of a call that is gone.
            self._lingers = True
            await self._part(gone())
        elif (error := reading.exception()) is not None:
            if not isinstance(error, StageError):
                raise error
            await self._part(error)
        else:
            await self._finish()

    async def _over(self) -> None:
        """Leaves a session that another call has, or ends a cancelled one."""
        await self.roster.stop()
        if self._cancelled:
            await end_session(self._ledger)
            self.outbox.close()

    async def _part(self, error: StageError) -> None:
        """Lets go of a session that has not ended: its utterances are ended and stored."""
        self.outbox.close(error)
        log.info("session.left", reason=error.reason)
        if self._lingers:
            await asyncio.wait({self._lost}, timeout=self._settings.linger_seconds)
        await self._unless_lost(self._recognise_all())
        if self._cancelled:
            await self._over()

    async def _finish(self) -> None:
        """Ends the session, as its client asked for."""
        await self._unless_lost(self._recognise_all())
        if (missing := self._failure or self.roster.unheard) is not None and not self._lost.done():
            # Its client sends again what has no finals, and its end.
            self.outbox.close(missing)
            return
        await self._unless_lost(self._refiner.finish())
        if self._lost.done():
            await self._over()
            return
        await end_session(self._ledger, without_summary=self._end.without_summary)
        await failpoint("session.after_ended")
        try:
            await self._endings.complete(self.session_id)
        except StageError as error:
            # Any gateway does it again.
            log.warning("session.not_completed", reason=error.reason)
        self.outbox.close()

    async def _recognise_all(self) -> None:
        """Ends all tracks in this call, and waits for their finals."""
        self.roster.close()
        await self.roster.finished()

    async def _unless_lost(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something to its end, or until the session is lost."""
        working = asyncio.create_task(work)
        await asyncio.wait({working, self._lost}, return_when=asyncio.FIRST_COMPLETED)
        await end(working)
        if not working.cancelled():
            working.result()

    async def _read(self, requests: Requests) -> None:
        """Takes the client's messages up to its `end`.

        Raises:
            StageError: What is wrong with a message, or STREAM_INCOMPLETE where the client sends no
                more, and no `end` came.
        """
        while True:
            await self.outbox.has_room.wait()
            with self._client_time.running():
                request = await anext(requests, None)
            kind = request.WhichOneof("request") if request is not None else "gone"
            match kind:
                case "gone":
                    self._lingers = True
                    raise gone()
                case "end":
                    assert request is not None
                    check_end(request.end, self._ledger.state.opened.config)
                    self._end = request.end
                    return
                case "configure":
                    assert request is not None
                    await self.roster.configure(request.configure)
                case "join" | "audio" | "silence" | "finalize" | "leave":
                    assert request is not None
                    if kind in _SOUND:
                        self._heard = time.monotonic()
                    await self.roster.take(request)
                case "keep_alive":
                    continue
                case _:
                    raise out_of_order()

    async def _tick(self) -> None:
        """Sends acknowledgements, and ends a call whose client sends nothing, or no audio."""
        heartbeat, most = self._settings.heartbeat_seconds, self._settings.idle_seconds
        longest = self._settings.quiet_seconds
        while True:
            await asyncio.sleep(min(TICK_SECONDS, heartbeat / 2))
            now = time.monotonic()
            tracks = self.roster.news()
            if tracks or now - self.outbox.last_put > heartbeat / 2:
                acknowledged = live.Acknowledged(tracks=tracks)
                self.outbox.offer(live.TranscribeResponse(acknowledged=acknowledged))
            if (since := self._client_time.since) is None:
                continue
            if now - since > most:
                self._break(idle(most))
            elif now - self._heard > longest:
                self._break(quiet(longest))

    async def _keep(self) -> None:
        """Writes to the log now and then, so that the session does not count as abandoned.

        Apart from `_tick`, since that may wait for the broker for long.
        """
        longest = self._settings.resume_seconds / HEARTBEATS
        try:
            while True:
                await asyncio.sleep(min(TICK_SECONDS, longest))
                if time.monotonic() - self._written > longest:
                    await self._heartbeat()
        except StageError as error:
            self._fail(error)

    async def _heartbeat(self) -> None:
        await self._ledger.commit(lambda _: session.SessionEntry(settled=session.TracksSettled()))

    async def _noticed(self, entry: session.SessionEntry) -> None:
        """Finds out whether another call took the session: who says so may have been refused."""
        if entry.HasField("taken") and entry.epoch > self._ledger.state.epoch:
            try:
                await self._heartbeat()
            except StageError as error:
                self._fail(error)

    def _committed(self, entry: session.SessionEntry) -> None:
        self._written = time.monotonic()
        self.roster.pending.settle(self.state.durable)
        event = durable_event(entry)
        if event is not None:
            self.outbox.put(event)
        self._refiner.notice()

    def _track_failed(self, track: LiveTrack, error: StageError) -> None:
        """Ends the call where no other track goes on; else only this track, with a warning."""
        log.warning("live.track_failed", reason=error.reason)
        if error.reason in _OF_SESSION:
            self._fail(error)
        elif self.roster.goes_on_without(track, error):
            self.roster.drop(track, error)
            self.outbox.put(warning(error.reason, error.message, track=track.name, dropped=True))
        else:
            self._fail(error)

    def _fail(self, error: StageError) -> None:
        if error.reason == Reason.SESSION_TAKEN_OVER:
            self.lose()
        else:
            self._failure = self._failure or error
            self._break(error)

    def _break(self, error: StageError) -> None:
        if not self._broken.done():
            self._broken.set_result(error)

    def _lose(self) -> None:
        if not self._lost.done():
            self._lost.set_result(None)


async def _stop(reading: asyncio.Task[None]) -> None:
    """Takes no more messages. Why that ended no longer matters."""
    await end(reading)
    if not reading.cancelled():
        reading.exception()  # marks it as retrieved
