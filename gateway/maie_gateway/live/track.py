"""One track of a session: its messages in, its events out."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from maie.asr.v1 import streaming_pb2 as asr
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_audio.decoders import Decoders
from maie_core.durations import seconds
from maie_core.samples import RATE, duration, nanoseconds, samples
from maie_gateway.live.asr_replicas import AsrReplicas
from maie_gateway.live.backlog import Backlog
from maie_gateway.live.events import TrackEvents
from maie_gateway.live.formats import check_content, check_silence
from maie_gateway.live.intake import TrackIntake
from maie_gateway.live.kept.keeper import AudioKeeper
from maie_gateway.live.ledger import Ledger
from maie_gateway.live.marks import Mark, to_message
from maie_gateway.live.outbox import Outbox
from maie_gateway.live.recognition import Recognition
from maie_gateway.live.settings import LiveSettings
from maie_gateway.live.state import SessionState, TrackState
from maie_gateway.live.track_reader import track_reader
from maie_runtime.background import end
from maie_runtime.blobs import Blobs


@dataclass(kw_only=True, frozen=True, slots=True)
class TrackTools:
    """What the tracks of a session share.

    Attributes:
        ledger: The session's log.
        outbox: The client's events.
        replicas: The ASR replicas.
        decoders: Decode compressed audio.
        blobs: Takes audio that is kept.
        settings: The settings of live speech.
    """

    ledger: Ledger
    outbox: Outbox
    replicas: AsrReplicas
    decoders: Decoders
    blobs: Blobs
    settings: LiveSettings


class LiveTrack:
    """A track while a gateway has its session.

    Args:
        join: What the client calls it, its format and the message before its first one.
        known: How far it is, where it began before this call; None for a new one.
        tools: What the tracks of a session share.

    Attributes:
        name: What the client calls it.
    """

    def __init__(self, join: live.TrackJoin, known: TrackState | None, tools: TrackTools) -> None:
        self.name = join.track
        self._join = join
        self._tools = tools
        mark = known.mark if known else Mark(sequence=join.sequence)
        self._backlog = Backlog(mark)
        reader = track_reader(join.format, mark.state, tools.decoders)
        self._intake = TrackIntake(reader, self._backlog, self._added)
        self._number = known.number if known else 0
        self._events = TrackEvents(self.name, self._number, known.offset if known else 0)
        self._arrived = time.time_ns()
        self._engine = asr.StreamingReady()
        self._leaves = False
        self._room = asyncio.Event()
        self._over = False
        self._keeper: AudioKeeper | None = None
        if tools.ledger.state.opened.config.keep_audio:
            self._keeper = AudioKeeper(
                blobs=tools.blobs,
                ledger=tools.ledger,
                backlog=self._backlog,
                patience_seconds=tools.settings.store_seconds,
                stored=self._room.set,
            )
        self._recognition = Recognition(
            self._backlog, tools.replicas, self._options, self, tools.settings
        )

    @property
    def is_heard(self) -> bool:
        """Whether a replica has the track."""
        return self._recognition.connected

    @property
    def was_heard(self) -> bool:
        """Whether a replica has the track, or had it in this call."""
        return self._recognition.was_connected

    @property
    def received(self) -> int:
        """The sequence of the last message."""
        return self._intake.received

    @property
    def leaves(self) -> bool:
        """Whether the track ends."""
        return self._leaves

    def acknowledged(self) -> live.TrackProgress | None:
        """How far the track is, as the client gets it; None before its beginning is stored."""
        if not self._number:
            return None
        backlog = self._backlog
        return track_progress(
            self.name, backlog.mark, received=backlog.received, position=backlog.position
        )

    async def room(self) -> None:
        """Waits until the track has room for more audio."""
        most = self._tools.settings.max_held_seconds * RATE
        while (self._backlog.held >= most or self._intake.is_full) and not self._over:
            self._room.clear()
            await self._room.wait()

    def audio(self, message: live.TrackAudio) -> None:
        """Takes audio.

        Raises:
            StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID.
        """
        check_content(self._join.format, message.content)
        self._intake.put(message.sequence, content=message.content)

    def silence(self, message: live.TrackSilence) -> None:
        """Takes silence.

        Raises:
            StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID.
        """
        check_silence(seconds(message.duration))
        self._intake.put(message.sequence, silence=samples(message.duration))

    def finalize(self, message: live.TrackFinalize) -> None:
        """Ends the current utterance."""
        self._intake.put(message.sequence, finalize=True)

    def configure(self, change: asr.StreamingOptions) -> None:
        """Changes options, from the next utterance on."""
        self._recognition.configure(change)

    def leave(self, sequence: int) -> None:
        """Ends the track with a message of the client."""
        self._leaves = True
        self._intake.received = sequence
        self.close()

    def close(self) -> None:
        """Ends the current utterance, and the track in this call; `run` then returns."""
        self._intake.close()

    async def run(self) -> None:
        """Recognises the track until it is closed; at the end everything is durable.

        Raises:
            StageError: As `TrackIntake.run`, once what came before is durable;
                `Recognition.run` and `Ledger.commit`.
        """
        reading = asyncio.create_task(self._read())
        try:
            if not self._number:
                await self._begin()
            await self._recognise()
            await reading
            if self._leaves:
                ended = session.TrackEnded(number=self._number, sequence=self._backlog.received)
                await self._tools.ledger.commit(lambda _: session.SessionEntry(track_ended=ended))
        finally:
            self._over = True
            self._room.set()
            await end(reading)
            if not reading.cancelled():
                reading.exception()  # another failure came first

    async def _recognise(self) -> None:
        """Recognises the track to its end, when all of it is durable."""
        if self._keeper is None:
            await self._recognition.run()
            await self._settle(self._backlog.position)
            return
        keeping = asyncio.create_task(self._keeper.run(self._number))
        recognising = asyncio.create_task(self._recognition.run())
        try:
            await asyncio.wait({keeping, recognising}, return_when=asyncio.FIRST_COMPLETED)
            if not keeping.done():
                recognising.result()
                self._keeper.close(self._backlog.position)
            await keeping
        finally:
            await end(keeping, recognising)

    async def _read(self) -> None:
        try:
            await self._intake.run()
        finally:
            self._recognition.close()

    def _added(self) -> None:
        self._recognition.notify()
        self._room.set()

    async def _begin(self) -> None:
        def began(state: SessionState) -> session.SessionEntry:
            track = session.TrackBegan(
                join=self._join,
                number=state.track_count + 1,
                # Clocks of two gateways may differ.
                offset=nanoseconds(max(self._arrived - state.begin, 0)),
            )
            return session.SessionEntry(track_began=track)

        await self._tools.ledger.commit(began)
        state = self._tools.ledger.state.tracks[self.name]
        self._number = state.number
        self._events = TrackEvents(self.name, state.number, state.offset)

    def _options(self) -> asr.StreamingOptions:
        state = self._tools.ledger.state
        return state.options.of(state.opened.config, self._join)

    async def ready(self, ready: asr.StreamingReady) -> None:
        """Notes what recognises the track."""
        self._engine = ready

    async def turn(self, turn: asr.StreamingTurn) -> None:
        """Sends that an utterance begins or ends."""
        self._tools.outbox.offer(self._events.turn(turn))

    async def partial(self, partial: asr.StreamingPartial) -> None:
        """Sends the text of an utterance so far."""
        self._tools.outbox.offer(self._events.partial(partial))

    async def final(self, final: asr.StreamingFinal) -> None:
        """Stores the text of an utterance, which sends it."""
        if final.utterance < self._backlog.mark.next_utterance:
            return  # it has its final already
        end = min(samples(final.range.end_offset), self._backlog.position)
        made = self._events.final(final, punctuated=self._engine.punctuated)
        arrived = self._backlog.arrived(end)
        reached = self._backlog.next_mark(end, final.utterance + 1)

        def finished(state: SessionState) -> session.SessionEntry:
            mark = reached
            if self._keeper is not None:
                # Audio that is kept is durable later.
                stored = state.track(self._number).mark
                mark = stored.with_finals(reached.settled, reached.next_utterance)
            if arrived is not None:
                made.latency.FromNanoseconds(round((time.monotonic() - arrived) * 1e9))
            entry = session.UtteranceFinished(final=made, mark=to_message(mark, self._number))
            if state.engine != self._engine.engine:
                entry.engine.CopyFrom(self._engine.engine)
            return session.SessionEntry(finished=entry)

        await self._tools.ledger.commit(finished)
        self._take(self._tools.ledger.state.track(self._number).mark)
        if self._keeper is not None:
            self._keeper.settle(end)

    async def progress(self, progress: asr.StreamingProgress) -> None:
        """Acknowledges silence now and then, and sends how far recognition is behind."""
        settled = samples(progress.settled_offset)
        settings = self._tools.settings
        if settled - self._backlog.mark.settled >= settings.settle_seconds * RATE:
            if self._keeper is None:
                await self._settle(settled)
            else:
                self._keeper.settle(min(settled, self._backlog.position))
        if seconds(progress.behind) >= settings.lag_seconds:
            self._tools.outbox.offer(self._events.lag(progress.behind))

    async def _settle(self, settled: int) -> None:
        """Stores that nothing before a place can still become a final."""
        mark = self._backlog.next_mark(min(settled, self._backlog.position), 0)
        if mark == self._backlog.mark:
            return
        marks = [to_message(mark, self._number)]
        entry = session.SessionEntry(settled=session.TracksSettled(marks=marks))
        await self._tools.ledger.commit(lambda _: entry)
        self._take(mark)

    def _take(self, mark: Mark) -> None:
        self._backlog.settle(mark)
        self._room.set()


def track_progress(
    name: str, mark: Mark, *, received: int | None = None, position: int | None = None
) -> live.TrackProgress:
    """How far a track is, as clients see it.

    Args:
        name: The track.
        mark: How far it is without risk of loss.
        received: The last message that was received; the mark's where None.
        position: The audio that was received, in samples; the mark's where None.
    """
    return live.TrackProgress(
        track=name,
        received_sequence=mark.sequence if received is None else received,
        durable_sequence=mark.sequence,
        received_offset=duration(mark.position if position is None else position),
        durable_offset=duration(mark.position),
    )
