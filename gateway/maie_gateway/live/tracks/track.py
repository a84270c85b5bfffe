"""One track of a session: its messages in, its channels recognised."""

from __future__ import annotations

import asyncio
import time

from maie.asr.v1 import streaming_pb2 as asr
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.durations import seconds
from maie_core.reasons import WarningReason
from maie_core.samples import RATE, duration, nanoseconds, samples
from maie_gateway.live.events import warning
from maie_gateway.live.formats import channel_numbers, check_content, check_silence
from maie_gateway.live.marks import Mark, least
from maie_gateway.live.state import SessionState, TrackState
from maie_gateway.live.tracks.channel import LiveChannel
from maie_gateway.live.tracks.intake import TrackIntake
from maie_gateway.live.tracks.pace import PaceMeter
from maie_gateway.live.tracks.track_reader import track_reader
from maie_gateway.live.tracks.track_tools import TrackTools
from maie_runtime.background import end


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
        numbers = channel_numbers(join.format)
        marks = known.marks if known else (Mark(sequence=join.sequence),) * len(numbers)
        self._room = asyncio.Event()
        self._channels = [
            LiveChannel(
                number,
                mark,
                self._options,
                tools,
                self._room.set,
                several=join.several_speakers,
            )
            for number, mark in zip(numbers, marks, strict=True)
        ]
        begin = least(marks)
        reader = track_reader(join.format, begin.state, tools.decoders)
        backlogs = [channel.backlogs for channel in self._channels]
        self._intake = TrackIntake(reader, backlogs, begin, self._added, self._clipped)
        self._pace = PaceMeter(begin.position, lambda: tools.client_time.seconds)
        self._begun = False
        if known is not None:
            self._take_place(known)
        self._arrived = time.time_ns()
        self._leaves = False
        self._over = False

    @property
    def is_heard(self) -> bool:
        """Whether a replica has any of its channels."""
        return any(channel.recognition.connected for channel in self._channels)

    @property
    def places(self) -> int:
        """How many tracks it counts as: each channel that is recognised is one."""
        return len(self._channels)

    @property
    def was_heard(self) -> bool:
        """Whether a replica has any of its channels, or had it in this call."""
        return any(channel.recognition.was_connected for channel in self._channels)

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
        return self._acknowledged() if self._begun else None

    async def room(self) -> None:
        """Waits until the track has room for more audio."""
        while (self._holds_most() or self._intake.is_full) and not self._over:
            self._room.clear()
            await self._room.wait()

    def _holds_most(self) -> bool:
        most = self._tools.settings.max_held_seconds * RATE
        return any(channel.backlog.held >= most for channel in self._channels)

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
        for channel in self._channels:
            channel.recognition.configure(change)

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
                `LiveChannel.run` and `Ledger.commit`. A channel that fails ends the others.
        """
        reading = asyncio.create_task(self._read())
        try:
            if not self._begun:
                await self._begin()
            await self._recognise()
            await reading
            if self._leaves:
                ended = session.TrackEnded(number=self._number, sequence=self._intake.received)
                await self._tools.ledger.commit(lambda _: session.SessionEntry(track_ended=ended))
        finally:
            self._over = True
            self._room.set()
            await end(reading)
            if not reading.cancelled():
                reading.exception()  # another failure came first

    async def _recognise(self) -> None:
        """Recognises all channels to their ends."""
        running = [asyncio.create_task(channel.run()) for channel in self._channels]
        try:
            await asyncio.gather(*running)
        finally:
            await end(*running)

    async def _read(self) -> None:
        try:
            await self._intake.run()
        finally:
            for channel in self._channels:
                channel.close()

    def _added(self) -> None:
        for channel in self._channels:
            channel.notify()
        self._room.set()
        self._check_pace()

    def _clipped(self, place: int, share: float) -> None:
        """Warns of audio that is clipped."""
        self._tools.outbox.put(
            warning(
                WarningReason.CLIPPING,
                f"The audio is clipped: {share:.1%} of its samples are at full scale.",
                metadata={"ratio": share},
                track=self.name,
                channel=channel_numbers(self._join.format)[place],
            )
        )

    def _check_pace(self) -> None:
        """Warns of audio that comes slower than it is spoken."""
        behind = self._pace.feed(min(channel.backlog.position for channel in self._channels))
        if behind is not None:
            self._tools.outbox.put(
                warning(
                    WarningReason.AUDIO_SLOW,
                    f"The audio is {behind:.0f} s behind the clock, so its times are too early; "
                    "send silence where nothing is recorded.",
                    metadata={"behind_seconds": behind},
                    track=self.name,
                )
            )

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
        self._take_place(self._tools.ledger.state.tracks[self.name])
        # Before any text, whose place in the track's audio is known by its beginning.
        acknowledged = live.Acknowledged(tracks=[self._acknowledged()])
        event = live.TranscribeResponse(acknowledged=acknowledged)
        event.event_time.GetCurrentTime()
        self._tools.outbox.put(event)

    def _take_place(self, state: TrackState) -> None:
        """Takes the track's number and offset from the log."""
        self._begun, self._number, self._offset = True, state.number, state.offset
        for channel in self._channels:
            channel.begin(self.name, state.number, state.offset)

    def _acknowledged(self) -> live.TrackProgress:
        backlogs = [channel.backlog for channel in self._channels]
        return track_progress(
            self.name,
            least([backlog.mark for backlog in backlogs]),
            received=min(backlog.received for backlog in backlogs),
            position=min(backlog.position for backlog in backlogs),
            begin=self._offset,
        )

    def _options(self) -> asr.StreamingOptions:
        state = self._tools.ledger.state
        return state.options.of(state.opened.config, self._join)


def track_progress(
    name: str,
    mark: Mark,
    *,
    received: int | None = None,
    position: int | None = None,
    begin: int | None = None,
) -> live.TrackProgress:
    """How far a track is, as clients see it.

    Args:
        name: The track.
        mark: How far it is without risk of loss.
        received: The last message that was received; the mark's where None.
        position: The audio that was received, in samples; the mark's where None.
        begin: Where it begins, in nanoseconds from the session's beginning; None where that is
            unknown.
    """
    made = live.TrackProgress(
        track=name,
        received_sequence=mark.sequence if received is None else received,
        durable_sequence=mark.sequence,
        received_offset=duration(mark.position if position is None else position),
        durable_offset=duration(mark.position),
    )
    if begin is not None:
        made.begin_offset.FromNanoseconds(begin)
    return made
