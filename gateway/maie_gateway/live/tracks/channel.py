"""What is recognised of a track: one of its channels, or the mix of them all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from maie.asr.v1 import streaming_pb2 as asr
from maie.live.v1 import session_pb2 as session
from maie_core.attributes import AUDIO_SECONDS, CHANNEL, TRACK, UTTERANCE
from maie_core.durations import seconds
from maie_core.samples import RATE, samples
from maie_gateway.live.events import TrackEvents, name_speaker
from maie_gateway.live.kept.keeper import AudioKeeper
from maie_gateway.live.marks import Mark, to_message
from maie_gateway.live.recognition.backlog import Backlog
from maie_gateway.live.recognition.recognition import Recognition
from maie_gateway.live.speakers.labeller import Labeller
from maie_gateway.live.speakers.state import Lane, Voice
from maie_gateway.live.state import SessionState
from maie_gateway.live.tracks.thinning import ThinningMeter
from maie_gateway.live.tracks.track_tools import TrackTools
from maie_runtime.background import end

# Who speaks is known a few seconds after the final, so a client keeps less in between.
LABELLED_SHARE = 0.5


class LiveChannel:
    """A channel while a gateway has its session; `begin` comes first.

    Args:
        channel: Its number, from 1; 0 for the mix of all.
        mark: How far it is.
        options: Gives the options of the track as they are now.
        tools: What the tracks of a session share.
        stored: Called after each mark that was stored.
        several: Whether several people share it.

    Attributes:
        backlog: What is to be recognised.
        recognition: The calls that recognise it.
    """

    def __init__(
        self,
        channel: int,
        mark: Mark,
        options: Callable[[], asr.StreamingOptions],
        tools: TrackTools,
        stored: Callable[[], None],
        *,
        several: bool = False,
    ) -> None:
        self.backlog = Backlog(mark)
        self.recognition = Recognition(
            self.backlog, tools.replicas, options, self, tools.settings, tools.metrics
        )
        self._channel = channel
        self._tools = tools
        self._stored = stored
        self._number = 0
        self._engine = asr.StreamingReady()
        self._thinning = ThinningMeter()
        self._labeller = Labeller(mark, tools, self._advance) if several else None
        # Up to where speech has its finals, in samples.
        self._recognised = mark.settled
        self._keeper: AudioKeeper | None = None
        if tools.ledger.state.opened.config.keep_audio:
            self._keeper = AudioKeeper(
                blobs=tools.blobs,
                ledger=tools.ledger,
                backlog=self.backlog,
                channel=channel,
                patience_seconds=tools.settings.store_seconds,
                stored=stored,
            )

    def begin(self, name: str, number: int, offset: int) -> None:
        """Takes what the track is.

        Args:
            name: What the client calls it.
            number: Its number.
            offset: Where it begins, in nanoseconds from the session's beginning.
        """
        self._number = number
        self._events = TrackEvents(name, number, offset, self._channel)
        if self._labeller is not None:
            self._labeller.begin(name, Lane(number, self._channel), offset)

    @property
    def backlogs(self) -> list[Backlog]:
        """What gets the audio: first of what is recognised."""
        return [self.backlog, *([self._labeller.backlog] if self._labeller else [])]

    def notify(self) -> None:
        """Says that the backlogs have more."""
        self.recognition.notify()
        if self._labeller is not None:
            self._labeller.notify()

    def close(self) -> None:
        """Says that nothing follows; `run` returns once everything is recognised."""
        self.recognition.close()
        if self._labeller is not None:
            self._labeller.close()

    async def run(self) -> None:
        """Recognises the channel until its track is closed; at the end everything is durable.

        Raises:
            StageError: As `Recognition.run`, `AudioKeeper.run` and `Ledger.commit`.
        """
        beside = [asyncio.create_task(work) for work in self._beside()]
        recognising = asyncio.create_task(self._recognise())
        try:
            await asyncio.wait({*beside, recognising}, return_when=asyncio.FIRST_COMPLETED)
            for failed in (task for task in beside if task.done()):
                failed.result()
            recognising.result()
            if self._keeper is None:
                await self._settle(self.backlog.position)
            else:
                self._keeper.close(self.backlog.position)
                await beside[0]
        finally:
            await end(*beside, recognising)

    def _beside(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What runs beside recognition, and ends before it only where it fails."""
        if self._keeper is not None:
            yield self._keeper.run(self._number)
        if self._labeller is not None:
            yield self._labeller.run()

    async def _recognise(self) -> None:
        await self.recognition.run()
        if self._labeller is not None:
            await self._labeller.finish()

    async def ready(self, ready: asr.StreamingReady) -> None:
        """Notes what recognises the track."""
        self._engine = ready

    async def turn(self, turn: asr.StreamingTurn) -> None:
        """Sends that an utterance begins or ends."""
        self._tools.outbox.offer(self._events.turn(turn))

    async def partial(self, partial: asr.StreamingPartial) -> None:
        """Sends the text of an utterance so far."""
        read = min(samples(partial.range.end_offset), self.backlog.position)
        self._tools.metrics.partial(self.backlog.arrived(read))
        self._tools.outbox.offer(self._events.partial(partial))

    async def final(self, final: asr.StreamingFinal) -> None:
        """Stores the text of an utterance, which sends it."""
        if final.utterance < self.backlog.mark.next_utterance:
            return  # it has its final already
        over = min(samples(final.range.end_offset), self.backlog.position)
        made = self._events.final(final, punctuated=self._engine.punctuated)
        arrived = self.backlog.arrived(over)
        reached = self.backlog.next_mark(over, final.utterance + 1)

        def finished(state: SessionState) -> session.SessionEntry:
            mark = reached
            if self._keeper is not None or self._labeller is not None:
                # Audio that is kept, or heard for its speakers, is durable later.
                stored = state.track(self._number).mark_of(self._channel)
                mark = stored.with_finals(reached.settled, reached.next_utterance)
            if arrived is not None:
                made.latency.FromNanoseconds(round((time.monotonic() - arrived) * 1e9))
            if state.names_speakers and self._labeller is None:
                voice = Voice(Lane(self._number, self._channel))
                name_speaker(made.segment, state.speakers.name(voice))
            message = to_message(mark, self._number, self._channel)
            entry = session.UtteranceFinished(final=made, mark=message)
            if state.engine != self._engine.engine:
                entry.engine.CopyFrom(self._engine.engine)
            return session.SessionEntry(finished=entry)

        await self._tools.ledger.commit(finished)
        self._tools.metrics.final(arrived)
        self._trace(final, arrived)
        self._store(self._tools.ledger.state.track(self._number).mark_of(self._channel))
        self._recognised = max(self._recognised, over)
        if self._labeller is not None:
            self._labeller.look()
        if self._keeper is not None:
            await self._advance()

    def _trace(self, final: asr.StreamingFinal, arrived: float | None) -> None:
        """Makes the span of an utterance: from the arrival of its end until its final is stored."""
        now = time.time_ns()
        waited = 0.0 if arrived is None else time.monotonic() - arrived
        length = seconds(final.range.end_offset) - seconds(final.range.start_offset)
        attributes = {
            TRACK: self._number,
            CHANNEL: self._channel,
            UTTERANCE: final.utterance,
            AUDIO_SECONDS: length,
        }
        self._tools.tracer.start_span(
            "maie.live.utterance", attributes=attributes, start_time=now - round(waited * 1e9)
        ).end(now)

    async def progress(self, progress: asr.StreamingProgress) -> None:
        """Acknowledges silence now and then, and sends how far behind or thin results are."""
        settled = samples(progress.settled_offset)
        self._tools.metrics.behind(seconds(progress.behind))
        settings = self._tools.settings
        self._recognised = max(self._recognised, settled)
        if settled - self.backlog.mark.settled >= settings.settle_seconds * RATE:
            await self._advance()
        if seconds(progress.behind) >= settings.lag_seconds:
            self._tools.outbox.offer(self._events.lag(progress.behind))
        if (thinned := self._thinning.feed(progress.partial_thinning)) is not None:
            self._tools.outbox.put(self._events.thinned(thinned))

    async def _advance(self) -> None:
        """Makes durable what has its finals, and its speakers where several people share it."""
        place = min(self._recognised, self.backlog.position)
        if self._labeller is not None:
            place = min(place, self._labeller.settled)
            least = self._tools.settings.settle_seconds * LABELLED_SHARE * RATE
            if place - self.backlog.mark.position < least:
                return
        if self._keeper is None:
            await self._settle(place)
        else:
            self._keeper.settle(place)

    async def _settle(self, place: int) -> None:
        """Stores that nothing before a place can still become a final."""
        reached = self.backlog.next_mark(min(place, self.backlog.position), 0)
        if reached == self.backlog.mark:
            return

        def settled(state: SessionState) -> session.SessionEntry | None:
            # A final may have come in between.
            stored = state.track(self._number).mark_of(self._channel)
            if reached.sequence < stored.sequence:
                return None
            mark = reached.with_finals(stored.settled, stored.next_utterance)
            marks = [to_message(mark, self._number, self._channel)]
            return session.SessionEntry(settled=session.TracksSettled(marks=marks))

        await self._tools.ledger.commit(settled)
        self._store(self._tools.ledger.state.track(self._number).mark_of(self._channel))

    def _store(self, mark: Mark) -> None:
        self._tools.metrics.settled((mark.settled - self.backlog.mark.settled) / RATE)
        self.backlog.settle(mark)
        self._stored()
