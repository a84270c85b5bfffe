"""Says who said the finals of a lane that several people share, a few seconds after each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import streaming_pb2
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.errors import StageError
from maie_core.reasons import Reason, WarningReason
from maie_gateway.live.events import warning
from maie_gateway.live.marks import Mark
from maie_gateway.live.recognition.backlog import Backlog
from maie_gateway.live.speakers.lane_turns import LaneTurns
from maie_gateway.live.speakers.state import Lane, Naming, Voice, labelled
from maie_gateway.live.speakers.stream import SpeakerStream
from maie_gateway.live.state import SessionState
from maie_gateway.live.tracks.track_tools import TrackTools
from maie_runtime.background import end

log = structlog.get_logger()

# Where no replica took the track, they are asked again after so long.
AGAIN_SECONDS = 10.0
# A replica that says so long after the audio came who speaks is too slow: no more audio of a track
# may be kept than MAX_HELD_SECONDS, and then its client, and so its finals, would wait. Less would
# leave out files, which are sent as fast as they are taken.
BEHIND_SECONDS = 35.0
# Failures of the session, and of no replica.
_OF_SESSION = frozenset({Reason.SESSION_TAKEN_OVER, Reason.BROKER_UNAVAILABLE})


class Labeller:
    """Who speaks on one lane while a gateway has its session; `begin` comes first.

    It works beside recognition, and no final waits for it. Where no replica has the lane, finals go
    without labels, and the client gets a warning.

    Args:
        mark: How far the lane is.
        tools: What the tracks of a session share.
        moved: Called when more is settled.

    Attributes:
        backlog: What is to be heard.
    """

    def __init__(self, mark: Mark, tools: TrackTools, moved: Callable[[], Awaitable[None]]) -> None:
        self.backlog = Backlog(Mark(sequence=mark.sequence, position=mark.position))
        self._tools = tools
        self._moved = moved
        self._stream = SpeakerStream(
            self.backlog, tools.diarizers, self._known, self, tools.settings, tools.metrics
        )
        self._track = ""
        self._lane = Lane(0, 0)
        self._engine = common.EngineVersion()
        self._turns = LaneTurns(mark.position)
        self._left: set[str] = set()
        self._warned = False
        self._closed = asyncio.Event()
        self._behind = asyncio.Event()
        self._news = asyncio.Event()
        self._over = asyncio.Event()

    def begin(self, name: str, lane: Lane, offset: int) -> None:
        """Takes what the lane is.

        Args:
            name: What the client calls the track.
            lane: The lane.
            offset: Where the track begins, in nanoseconds from the session's beginning.
        """
        self._track, self._lane, self._turns.offset = name, lane, offset

    @property
    def settled(self) -> int:
        """Everything before this place has its labels or stays without, in samples."""
        waiting = [self._turns.place(each.segment.start_offset) for each in self._waiting()]
        return min([self._turns.end, *waiting])

    def notify(self) -> None:
        """Says that the backlog has more."""
        arrived = self.backlog.arrived(self._turns.end + 1)
        if arrived and time.monotonic() - arrived > BEHIND_SECONDS:
            self._behind.set()
        self._stream.notify()

    def look(self) -> None:
        """Says that there is another final."""
        self._news.set()

    def close(self) -> None:
        """Says that nothing follows."""
        self._closed.set()
        self._stream.close()

    async def finish(self) -> None:
        """Labels the last finals, once all are there, but does not wait long without progress.

        Raises:
            StageError: As `Ledger.commit`.
        """
        while not self._over.is_set():
            before = self._turns.end
            with suppress(TimeoutError):
                async with asyncio.timeout(self._tools.settings.speakers_end_seconds):
                    await self._over.wait()
            if self._turns.end == before and not self._over.is_set():
                self._leave(WarningReason.SPEAKERS_MISSING)
                return
        await self._write()

    async def run(self) -> None:
        """Labels finals until it is cancelled.

        Raises:
            StageError: As `Ledger.commit`.
        """
        running = [asyncio.create_task(work) for work in (self._write_all(), self._hear_all())]
        try:
            await asyncio.gather(*running)
        finally:
            await end(*running)

    async def _hear_all(self) -> None:
        """Has the lane heard to its end, and again where no replica had it for a while."""
        try:
            while not await self._heard() and not self._closed.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_SECONDS):
                        await self._closed.wait()
                # What came meanwhile was heard by nobody.
                self._skip()
        finally:
            self._over.set()

    async def _heard(self) -> bool:
        """Has replicas hear the lane; gives whether they heard all of it.

        Raises:
            StageError: As `Ledger.commit`.
        """
        hearing = asyncio.create_task(self._stream.run())
        behind = asyncio.create_task(self._behind.wait())
        try:
            await asyncio.wait({hearing, behind}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                hearing.result()
                self._turns.end = self.backlog.position
                return True
            self._leave(Reason.LIVE_BUSY)
        except StageError as error:
            if error.reason in _OF_SESSION:
                raise
            self._leave(error.reason)
        finally:
            await end(hearing, behind)
        self._skip()
        return False

    def _leave(self, reason: str) -> None:
        """Goes on without labels for what was said until now."""
        log.warning("live.speakers_missing", reason=reason)
        self._left.update(each.segment.segment_id for each in self._waiting())
        if not self._warned:
            self._warned = True
            self._tools.outbox.put(
                warning(
                    WarningReason.SPEAKERS_MISSING,
                    "No diarization worker tells the speakers of the track apart in time; some "
                    "text stays without.",
                    track=self._track,
                    channel=self._lane.channel,
                )
            )

    def _skip(self) -> None:
        """Drops what nobody heard in time, so that the lane's audio is durable without."""
        self._behind.clear()
        self.backlog.skip()
        self._turns.go_on_at(self.backlog.position)
        self._news.set()

    async def ready(self, ready: streaming_pb2.StreamingDiarizeReady, begin: int) -> None:
        """Notes what tells the speakers apart."""
        self._engine = ready.engine
        self._warned = False
        self._turns.go_on_at(begin)

    async def turns(self, turns: streaming_pb2.StreamingTurns) -> None:
        """Notes who speaks in the next part of the lane; what was known before stays."""
        self._turns.add(turns)
        self.backlog.settle(self.backlog.next_mark(self._turns.end, 0))
        self._news.set()

    async def merged(self, update: streaming_pb2.StreamingSpeakerUpdate) -> None:
        """Stores that two speakers are one, which notifies the client where it knows both."""
        self._turns.rename(update.old, update.new)

        def merge(state: SessionState) -> session.SessionEntry | None:
            old, new = Voice(self._lane, update.old), Voice(self._lane, update.new)
            speakers = state.speakers
            if old not in speakers.voices or speakers.name(old) == speakers.name(new):
                return None
            merged = session.SpeakersMerged(
                number=self._lane.track,
                channel=self._lane.channel,
                old=update.old,
                new=update.new,
            )
            if new in speakers.voices:
                merged.update.track = self._track
                merged.update.old, merged.update.new = speakers.name(old), speakers.name(new)
            return session.SessionEntry(speakers_merged=merged)

        await self._tools.ledger.commit(merge)

    async def known(self, known: streaming_pb2.KnownSpeakers) -> None:
        """Stores what is known of the voices."""
        entry = session.VoicesKnown(
            number=self._lane.track, channel=self._lane.channel, known=known
        )
        await self._tools.ledger.commit(lambda _: session.SessionEntry(voices_known=entry))

    async def _write_all(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._write()
            await self._moved()

    async def _write(self) -> None:
        """Stores the labels of all finals whose speakers are known."""
        last = self.backlog.position if self._closed.is_set() else None
        for final in self._waiting():
            if self._turns.misses(final.segment):
                # It was said while nobody listened.
                self._left.add(final.segment.segment_id)
            elif self._turns.reach(final.segment, last):
                await self._store(final)
        self._forget()

    async def _store(self, final: live.Final) -> None:
        spoken = self._turns.labelled(final.segment)
        name = final.segment.segment_id
        if not spoken.HasField("speaker"):
            # Nobody has spoken so far, by what the replica heard.
            self._left.add(name)
            return

        def label(state: SessionState) -> session.SessionEntry | None:
            if all(each.segment.segment_id != name for each in state.speakers.unlabelled):
                return None  # there were too many
            naming = Naming(state.speakers, self._lane)
            made = session.UtteranceLabelled(
                labels=labelled(final, spoken, naming.name), numbers=naming.numbers
            )
            if state.speakers.engine != self._engine:
                made.engine.CopyFrom(self._engine)
            return session.SessionEntry(labelled=made)

        await self._tools.ledger.commit(label)

    def _forget(self) -> None:
        """Drops what is needed for no final that may still come."""
        mark = self._tools.ledger.state.track(self._lane.track).mark_of(self._lane.channel)
        self._turns.forget(min(mark.settled, self.settled))
        unlabelled = self._tools.ledger.state.speakers.unlabelled
        self._left &= {each.segment.segment_id for each in unlabelled}

    def _waiting(self) -> list[live.Final]:
        """The finals that wait for their labels."""
        waiting = self._tools.ledger.state.speakers.waiting(self._lane)
        return [each for each in waiting if each.segment.segment_id not in self._left]

    def _known(self) -> streaming_pb2.KnownSpeakers | None:
        return self._tools.ledger.state.speakers.known.get(self._lane)
