"""Refines the finals of a session while a call has it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason, WarningReason
from maie_gateway.live.events import warning
from maie_gateway.live.ledger import Ledger
from maie_gateway.live.outbox import Outbox
from maie_gateway.live.refinement.enhancers import PASSING, Enhancers
from maie_gateway.live.refinement.unrefined import Batch
from maie_gateway.live.settings import LiveSettings
from maie_gateway.live.state import SessionState
from maie_runtime.background import background_tasks
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

# After a failure the next try comes after so long, twice as long after each further one.
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 8.0
# Spreads the tries of sessions that wait for the same replicas.
JITTER = 0.5
# How many replicas may die of the same finals, or have no answer for them in time.
MOST_FAILURES = 3


class Refiner:
    """Has finals enhanced, and stores their refinements.

    Which finals wait is in the session's log alone, so another gateway goes on with them. One
    request runs at a time: where enhancement is slow, more finals share the next one, and finals
    are delayed by none of it.

    Args:
        ledger: The session's log.
        outbox: The client's events.
        enhancers: The enhancement replicas.
        settings: The settings of live speech.
        failed: Called with an error of the log.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        outbox: Outbox,
        enhancers: Enhancers,
        settings: LiveSettings,
        failed: Callable[[StageError], None],
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._enhancers = enhancers
        self._settings = settings
        self._failed = failed
        # When each final that waits was first seen, by the monotonic clock.
        self._since: dict[str, float] = {}
        # The finals that are left to the job, of those that the log still has.
        self._left: set[str] = set()
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._over = asyncio.Event()
        self._failures = 0
        self._deaths = 0
        self._failing_since: float | None = None
        self._warned = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Refines during the context, where the session asks for it."""
        if not self._ledger.state.opened.config.refinements:
            self._over.set()
            yield
            return
        async with background_tasks(self._run()):
            yield

    def notice(self) -> None:
        """Says that an entry was stored."""
        self._news.set()

    async def finish(self) -> None:
        """Refines the finals that wait, as far as it is possible right now and in a short time."""
        self._closing.set()
        self._news.set()
        try:
            async with asyncio.timeout(self._settings.refinement_end_seconds):
                await self._over.wait()
        except TimeoutError:
            log.info("refinements.left")

    async def _run(self) -> None:
        try:
            while True:
                self._news.clear()
                self._look()
                batch = self._ledger.state.unrefined.batch(self._is_due, self._left)
                if batch is not None:
                    if not await self._refine(batch) and self._closing.is_set():
                        return
                elif self._closing.is_set():
                    return
                else:
                    await self._next_due()
        except StageError as error:
            self._failed(error)
        finally:
            self._over.set()

    def _look(self) -> None:
        """Notes which finals wait, and whether some are left to the job."""
        now = time.monotonic()
        waiting = {each.segment.segment_id for each in self._ledger.state.unrefined.finals}
        if self._since.keys() - waiting:
            self._warn("Enhancement does not keep up; some finals have no refinement.")
        self._since = {name: self._since.get(name, now) for name in waiting}
        self._left &= waiting

    def _is_due(self, final: live.Final) -> bool:
        """Whether a final waits no longer for the next one of its track."""
        state = self._ledger.state
        track = state.tracks.get(final.track)
        goes_on = track is not None and track.number == final.segment.track
        waited = time.monotonic() - self._since[final.segment.segment_id]
        return (
            self._closing.is_set()
            or not goes_on
            or waited >= self._settings.refinement_wait_seconds
        )

    async def _next_due(self) -> None:
        """Waits for news, or until a final waits no longer."""
        waiting = [since for name, since in self._since.items() if name not in self._left]
        due = min(waiting, default=float("inf")) + self._settings.refinement_wait_seconds
        try:
            async with asyncio.timeout_at(_loop_time(due) if waiting else None):
                await self._news.wait()
        except TimeoutError:
            return

    async def _refine(self, batch: Batch) -> bool:
        """Has finals enhanced, and stores their refinements; False where that failed.

        Raises:
            StageError: As `Ledger.commit`.
        """
        config = self._ledger.state.opened.config.job
        generation = (
            config.enhancement_generation if config.HasField("enhancement_generation") else None
        )
        try:
            made = await self._enhancers.enhance(batch.request(generation))
            texts = _texts(made, batch)
        except StageError as error:
            await self._judge(error, batch)
            return False
        self._failures = self._deaths = 0
        self._failing_since = None
        await failpoint("session.before_refinement")
        for final in batch.finals:
            await self._store(final, texts[final.segment.segment_id], made)
        return True

    async def _store(self, final: live.Final, text: str, made: common.Transcript) -> None:
        name = final.segment.segment_id
        refinement = live.Refinement(track=final.track, utterance_id=name, clean_text=text)

        def refined(state: SessionState) -> session.SessionEntry | None:
            if state.unrefined.final(name) is None:
                return None  # it was left to the job meanwhile
            entry = session.SessionEntry(refinement=refinement, kept=name in made.kept_segment_ids)
            if state.refiner != made.enhancement_engine:
                entry.enhancement_engine.CopyFrom(made.enhancement_engine)
            self._since.pop(name, None)
            return entry

        await self._ledger.commit(refined)

    async def _judge(self, error: StageError, batch: Batch) -> None:
        """Waits before the next try, or leaves finals to the job that are why it failed."""
        log.warning("refinement.failed", reason=error.reason)
        self._deaths += error.reason == Reason.WORKER_LOST
        if error.code not in PASSING or self._deaths >= MOST_FAILURES:
            self._deaths = 0
            self._left.update(final.segment.segment_id for final in batch.finals)
            self._warn("Enhancement failed; some finals have no refinement.")
            return
        now = time.monotonic()
        self._failing_since = self._failing_since or now
        if now - self._failing_since >= self._settings.patience_seconds:
            self._warn("Enhancement does not answer; refinements come late, or not at all.")
        pause = min(SHORTEST_PAUSE_SECONDS * 2**self._failures, LONGEST_PAUSE_SECONDS)
        self._failures += 1
        try:
            async with asyncio.timeout(pause * random.uniform(1 - JITTER, 1 + JITTER)):  # noqa: S311 - jitter, no secret
                await self._closing.wait()
        except TimeoutError:
            return

    def _warn(self, message: str) -> None:
        """Says once in a call that refinements are missing."""
        if self._warned:
            return
        self._warned = True
        self._outbox.put(warning(WarningReason.REFINEMENTS_LATE, message))


def _texts(made: common.Transcript, batch: Batch) -> dict[str, str]:
    """The clean text of each final.

    Raises:
        StageError: INTERNAL with STAGE_WITHOUT_RESULT: one has none.
    """
    texts = {segment.segment_id: segment.clean_text for segment in made.segments}
    if not all(texts.get(final.segment.segment_id) for final in batch.finals):
        raise StageError(
            Code.INTERNAL,
            Reason.STAGE_WITHOUT_RESULT,
            "The enhancement service left out a final.",
        )
    return texts


def _loop_time(monotonic: float) -> float:
    """A time of the monotonic clock by the event loop's."""
    return asyncio.get_running_loop().time() + monotonic - time.monotonic()
