"""The sessions of a gateway: begins and resumes them, within limits, and drains them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import structlog

from maie.live.v1 import live_pb2 as live
from maie_audio.decoders import Decoders
from maie_core.attributes import EPOCH, JOB, TENANT
from maie_core.errors import Code, StageError, invalid
from maie_core.limit_names import Limit
from maie_core.reasons import Reason
from maie_core.spans import Value, span
from maie_core.trace_context import current_traceparent, within
from maie_gateway.limits.audio_hours import AudioHours
from maie_gateway.limits.callers import CallerLimits
from maie_gateway.live.breaks import stopping
from maie_gateway.live.ending.awaiting import AwaitedSummary
from maie_gateway.live.ending.endings import Endings
from maie_gateway.live.ending.summaries import Summaries
from maie_gateway.live.ledger import Ledger
from maie_gateway.live.metrics import LiveMetrics
from maie_gateway.live.opening import Opened, Openings
from maie_gateway.live.outbox import Outbox
from maie_gateway.live.reclaim import Reclaims
from maie_gateway.live.recognition.asr_replicas import AsrReplicas
from maie_gateway.live.refinement.enhancers import Enhancers
from maie_gateway.live.roster import progress
from maie_gateway.live.session import LiveSession, Requests
from maie_gateway.live.settings import LiveSettings
from maie_gateway.live.speakers.diarizers import Diarizers
from maie_gateway.live.tracks.pending import PendingMessages
from maie_gateway.live.tracks.track_tools import TrackTools
from maie_gateway.records.about import about_job
from maie_gateway.records.changes import JobChanges
from maie_runtime.background import background_tasks, end
from maie_runtime.blobs import Blobs
from maie_runtime.bus.broker import Broker, broker_unavailable
from maie_runtime.bus.session_log import SessionLog
from maie_runtime.bus.tracing import links_to

log = structlog.get_logger()

RETRY_AFTER = timedelta(seconds=10)
# The share of a drain in which clients may go elsewhere before their utterances are ended.
GO_AWAY_SHARE = 0.5

Responses = AsyncGenerator[live.TranscribeResponse, None]


class Sessions:
    """The sessions that calls have at this gateway.

    Args:
        broker: Must be connected before a session begins, or soon be again.
        openings: Begins and takes sessions.
        endings: Hands sessions to their jobs.
        summaries: Waits for their summaries.
        replicas: The ASR replicas.
        enhancers: The enhancement replicas.
        diarizers: The diarization replicas.
        changes: Notifies of cancelled jobs.
        decoders: Decode compressed audio.
        blobs: Takes audio that is kept.
        settings: The settings of live speech.
        metrics: Measures them.
        limits: What single tenants may have.
        audio_hours: Knows how much audio tenants had today.
        gateway: This gateway's name.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        openings: Openings,
        endings: Endings,
        summaries: Summaries,
        replicas: AsrReplicas,
        enhancers: Enhancers,
        diarizers: Diarizers,
        changes: JobChanges,
        decoders: Decoders,
        blobs: Blobs,
        settings: LiveSettings,
        metrics: LiveMetrics,
        limits: CallerLimits,
        audio_hours: AudioHours,
        gateway: str,
    ) -> None:
        self._broker = broker
        self._openings = openings
        self._endings = endings
        self._summaries = summaries
        self._replicas = replicas
        self._enhancers = enhancers
        self._diarizers = diarizers
        self._changes = changes
        self._decoders = decoders
        self._blobs = blobs
        self._settings = settings
        self._metrics = metrics
        self._limits = limits
        self._audio_hours = audio_hours
        metrics.observe(lambda: self.count, lambda: self.tracks)
        self._logs = SessionLog(broker)
        self._reclaims = Reclaims(self._logs, changes, settings, gateway, self._serve_again)
        self._calls: dict[asyncio.Task[None], LiveSession] = {}
        self._opening: list[str] = []
        self._resuming: set[asyncio.Task[Opened]] = set()
        # The calls that wait for a summary, by what is done when they end.
        self._waiting: dict[asyncio.Future[None], AwaitedSummary] = {}
        self._draining = False

    @property
    def count(self) -> int:
        """How many sessions this gateway has."""
        return len(self._calls)

    @property
    def tracks(self) -> int:
        """How many tracks they have; each channel that is recognised is one."""
        # Copies, since metrics are read in a thread of their own.
        return sum(session.roster.places for session in tuple(self._calls.values()))

    async def call(self, requests: Requests, tenant: str, traceparent: str) -> Responses:
        """Serves a call from its first message to its last event.

        Raises:
            StageError: What ends the call, as LiveService documents.
        """
        start = await self._first(requests)
        opened = await self._open(start, tenant, traceparent)
        # A call has a task of its own.
        session_id = opened.ledger.state.session_id
        structlog.contextvars.bind_contextvars(job=session_id, tenant=tenant)
        if opened.ledger.state.ended is not None:
            yield self._started(opened)
            for event in opened.missed:
                yield event
            if start.await_summary:
                async with aclosing(self._awaited(start.session_id, requests)) as events:
                    async for event in events:
                        yield event
            return
        session = self._session(opened.ledger)
        session.outbox.put(self._started(opened))
        for event in opened.missed:
            session.outbox.put(event)
        self._serve(session, requests, opened.traceparent)
        try:
            async for event in session.outbox.events():
                yield event
        finally:
            session.leave()
        if session.awaits_summary:
            async with aclosing(self._awaited(session.session_id, requests)) as events:
                async for event in events:
                    yield event

    def _session(self, ledger: Ledger) -> LiveSession:
        tools = TrackTools(
            ledger=ledger,
            outbox=Outbox(),
            replicas=self._replicas,
            diarizers=self._diarizers,
            decoders=self._decoders,
            blobs=self._blobs,
            settings=self._settings,
            metrics=self._metrics,
            tracer=self._broker.tracer,
        )
        return LiveSession(tools, self._logs, self._endings, self._enhancers)

    async def _awaited(self, session_id: str, requests: Requests) -> Responses:
        """The summary of a session that has ended; the call takes no place of a session's."""
        if self._draining:
            raise stopping()
        waiting = AwaitedSummary(session_id, self._summaries, self._settings)
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[ended] = waiting
        try:
            work = (waiting.wait(), waiting.listen(requests), waiting.beat())
            async with background_tasks(*work):
                async for event in waiting.outbox.events():
                    yield event
        finally:
            del self._waiting[ended]
            ended.set_result(None)

    async def _first(self, requests: Requests) -> live.StartSession:
        """The first message of a call."""
        try:
            async with asyncio.timeout(self._settings.idle_seconds):
                first = await anext(requests, None)
        except TimeoutError:
            raise StageError(
                Code.DEADLINE_EXCEEDED,
                Reason.SESSION_IDLE,
                f"No start came within {self._settings.idle_seconds:g} s.",
            ) from None
        if first is None or not first.HasField("start"):
            raise invalid(
                Reason.STREAM_OUT_OF_ORDER,
                "A live call begins with `start`; send it before anything else.",
                field="start",
            )
        return first.start

    async def _open(self, start: live.StartSession, tenant: str, traceparent: str) -> Opened:
        if not await self._broker.until_connected():
            raise broker_unavailable()
        self._check_room(start.session_id, tenant)
        self._opening.append(tenant)
        try:
            if not start.session_id:
                return await self._openings.begin(start.config, tenant, traceparent)
            opened = await self._resume(start, tenant)
        finally:
            self._opening.remove(tenant)
        self._lose(start.session_id)
        return opened

    async def _resume(self, start: live.StartSession, tenant: str) -> Opened:
        """Takes a session over; where the call falls meanwhile, it is left as any other."""
        resuming = asyncio.create_task(self._openings.resume(start, tenant))
        self._resuming.add(resuming)
        resuming.add_done_callback(self._resuming.discard)
        try:
            return await asyncio.shield(resuming)
        except asyncio.CancelledError:
            resuming.add_done_callback(self._left)
            raise

    def _left(self, resuming: asyncio.Task[Opened]) -> None:
        """Serves a session whose client was gone before the call had it."""
        if resuming.cancelled() or resuming.exception() is not None:
            return
        opened = resuming.result()
        state = opened.ledger.state
        if state.ended is None:
            self._lose(state.session_id)
            with about_job(state.session_id, state.opened.tenant, opened.traceparent):
                self._serve_again(opened.ledger, PendingMessages(), opened.traceparent)

    def _lose(self, session_id: str) -> None:
        """Stops the calls that had a session before."""
        for session in self._calls.values():
            if session.session_id == session_id:
                session.lose()

    def _check_room(self, session_id: str, tenant: str) -> None:
        """Refuses a session over a limit; one that this gateway has takes its own place.

        Raises:
            StageError: RESOURCE_EXHAUSTED with SESSIONS_FULL or AUDIO_HOURS_SPENT.
        """
        if not session_id:
            self._audio_hours.check(tenant)
        others = [each for each in self._calls.values() if each.session_id != session_id]
        if len(others) + len(self._opening) >= self._settings.max_sessions:
            problem = f"This gateway has {self._settings.max_sessions} live sessions"
            raise _full(problem, Limit.GATEWAY_SESSIONS)
        own = sum(each.tenant == tenant for each in others) + self._opening.count(tenant)
        most = self._limits.of(tenant).live_sessions or self._settings.sessions_per_tenant
        if own >= most:
            raise _full(f"Tenant {tenant} has {most} live sessions", Limit.TENANT_SESSIONS)

    def _started(self, opened: Opened) -> live.TranscribeResponse:
        state = opened.ledger.state
        started = live.SessionStarted(
            session_id=state.session_id,
            resume_token=opened.token,
            config=state.opened.config,
            tracks=progress(state),
            asr_engine=state.engine,
            max_tracks=self._settings.max_tracks,
        )
        started.resume_duration.FromNanoseconds(round(self._settings.resume_seconds * 1e9))
        started.heartbeat_interval.FromNanoseconds(round(self._settings.heartbeat_seconds * 1e9))
        event = live.TranscribeResponse(started=started)
        event.event_time.GetCurrentTime()
        return event

    def _serve(self, session: LiveSession, requests: Requests, traceparent: str) -> None:
        """Serves a session in the background, which goes on when its client is gone."""
        session_id = session.session_id
        before = [task for task, call in self._calls.items() if call.session_id == session_id]
        serving = asyncio.create_task(self._serve_after(before, session, requests, traceparent))
        self._calls[serving] = session
        serving.add_done_callback(lambda _: self._calls.pop(serving, None))

    def _serve_again(self, ledger: Ledger, pending: PendingMessages, traceparent: str) -> None:
        """Serves a session whose client is gone: its messages come again, and nobody listens."""
        session = self._session(ledger)
        session.outbox.close()
        # Also what it has not read, where it loses the session again.
        session.pending.merge(pending)
        self._serve(session, _sent_again(tuple(pending)), traceparent)

    async def _serve_after(
        self,
        before: Sequence[asyncio.Task[None]],
        session: LiveSession,
        requests: Requests,
        traceparent: str,
    ) -> None:
        """Serves a session, and keeps what another call may leave undone."""
        await self._run(session, requests, traceparent)
        if before:
            # Their messages are kept before the session is let go.
            await asyncio.wait(before)
        if session.was_lost:
            self._reclaims.keep(session.session_id, session.pending, traceparent)
        else:
            self._reclaims.release(session.session_id, session.state.epoch)

    async def _run(self, session: LiveSession, requests: Requests, traceparent: str) -> None:
        """Serves a session, in the trace of its job; it follows the call."""
        state, call = session.state, current_traceparent()
        attributes: dict[str, Value] = {
            JOB: session.session_id,
            TENANT: session.tenant,
            EPOCH: state.epoch,
        }
        with (
            within(traceparent),
            span(self._broker.tracer, "maie.live.session", attributes, links=links_to([call])),
        ):
            await self._run_watched(session, requests)

    async def _run_watched(self, session: LiveSession, requests: Requests) -> None:
        def changed() -> None:
            if session.session_id not in self._changes.active:
                session.cancel()

        with self._changes.subscribe(session.session_id, changed):
            changed()  # it may have been cancelled already
            await session.run(requests)

    async def drain(self, grace: float) -> None:
        """Sends clients elsewhere, then ends the utterances of those that stay.

        Args:
            grace: How long it may take, in seconds.
        """
        self._draining = True
        for call in self._served():
            call.drain(grace * GO_AWAY_SHARE)
        await self._gone(grace * GO_AWAY_SHARE)
        for call in self._served():
            call.stop()
        over = time.monotonic() + grace * (1 - GO_AWAY_SHARE)
        await self._gone(over - time.monotonic())
        await self._reclaims.stop(over - time.monotonic())
        await self._gone(over - time.monotonic())

    def _served(self) -> list[LiveSession | AwaitedSummary]:
        return [*self._calls.values(), *self._waiting.values()]

    async def _gone(self, seconds: float) -> None:
        served: list[asyncio.Future[None]] = [*self._calls, *self._waiting]
        if served:
            await asyncio.wait(served, timeout=seconds)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Stops what is left of the sessions at the end."""
        try:
            async with self._reclaims.running():
                yield
        finally:
            await end(*self._resuming, *self._calls)


async def _sent_again(messages: Sequence[live.TranscribeRequest]) -> Requests:
    """Messages of a client that is gone."""
    for message in messages:
        yield message


def _full(problem: str, limit: Limit) -> StageError:
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.SESSIONS_FULL,
        f"{problem}, which is all that it may have (limit {limit}); try again later.",
        retry_after=RETRY_AFTER,
        limit=limit,
    )
