"""What a client appends, commits and clears, as tracks of a live session."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass

from maie.live.v1 import live_pb2 as live
from maie_client import ClientError
from maie_client.live import LiveSession
from maie_client.live.audio import second_bytes
from maie_core.durations import seconds
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_web.live.samples import WholeSamples
from maie_web.openai.errors import error_of
from maie_web.problems import document_of
from maie_web.realtime.items import Buffer, CommittedBuffer, Event, Ledger, SpokenTurns
from maie_web.realtime.settings import SessionSettings

# OpenAI's least audio of a commit.
LEAST_SECONDS = 0.1


@dataclass(kw_only=True, slots=True)
class _Track:
    """The audio up to a commit or a clear.

    Attributes:
        name: The track.
        buffer: Makes items of it.
        format: The format of its audio.
        bytes: How much audio it has.
        left: The number of its last message; None while it goes on.
    """

    name: str
    buffer: Buffer
    format: live.AudioFormat
    bytes: int = 0
    left: int | None = None

    @property
    def seconds(self) -> float:
        """How much audio it has."""
        return self.bytes / second_bytes(self.format)


class Sound:
    """The audio of one connection.

    Each stretch of it up to a commit or a clear is a track of the live session, whose end says
    that all of its text came, also where nobody spoke.

    Args:
        session: The live session.
        ledger: The items of the connection.
        settings: The first settings.
    """

    def __init__(self, session: LiveSession, ledger: Ledger, settings: SessionSettings) -> None:
        self._session = session
        self._ledger = ledger
        self._settings = settings
        self._tracks: dict[str, _Track] = {}
        self._current: _Track | None = None
        self._count = 0
        self._before = 0.0
        self._samples = WholeSamples(settings.audio_format)

    async def configure(self, settings: SessionSettings) -> None:
        """Takes other settings, from the next utterances on.

        Raises:
            StageError: INVALID_ARGUMENT with STREAM_OUT_OF_ORDER: the buffer holds audio that is
                in another format, or whose turns are found otherwise.
            ClientError: As `LiveSession.configure`.
        """
        before = self._settings
        differs = settings.audio_format != before.audio_format or (
            (settings.turn_detection is None) != (before.turn_detection is None)
        )
        if differs and self._current is not None:
            if before.turn_detection is None:
                raise invalid(
                    Reason.STREAM_OUT_OF_ORDER,
                    "The buffer holds audio; commit or clear it before the format or the kind of "
                    "turn detection changes.",
                )
            await self._leave()
        if differs:
            self._samples = WholeSamples(settings.audio_format)
        self._settings = settings
        await self._session.configure(settings.options())

    async def append(self, encoded: str) -> None:
        """Adds audio.

        Raises:
            StageError: INVALID_ARGUMENT with FIELD_INVALID: it is not Base64.
            ClientError: As `LiveSession.add`.
        """
        try:
            content = self._samples.feed(b64decode(encoded, validate=True))
        except ValueError:
            raise invalid(
                Reason.FIELD_INVALID, "`audio` must be in Base64.", field="audio"
            ) from None
        if not content:
            return
        track = self._current or await self._begin()
        track.bytes += len(content)
        try:
            await self._session.send(content, track.name)
        except ClientError:
            # A track that went no further has said so already; the next audio begins another.
            if track.name in self._tracks:
                raise

    async def commit(self) -> list[Event]:
        """Makes an item of what was appended.

        Raises:
            StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID: there is too little audio.
            ClientError: As `LiveSession.leave`.
        """
        track = self._current
        held = max(0.0, track.seconds - track.buffer.taken) if track else 0.0
        if track is None or held < LEAST_SECONDS:
            raise invalid(
                Reason.AUDIO_PART_INVALID,
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{1000 * LEAST_SECONDS:.0f}ms of audio, but buffer only has "
                f"{1000 * held:.2f}ms of audio.",
            )
        events = list(track.buffer.commit(track.seconds))
        await self._leave()
        return events

    async def clear(self) -> None:
        """Drops what was appended and is no item yet.

        Raises:
            ClientError: As `LiveSession.leave`.
        """
        self._samples = WholeSamples(self._settings.audio_format)
        if self._current is not None:
            self._current.buffer.clear()
            await self._leave()

    def take(self, event: live.TranscribeResponse) -> Iterator[Event]:
        """What an event of the session is for the client."""
        match event.WhichOneof("event"):
            case "turn":
                if track := self._tracks.get(event.turn.track):
                    yield from track.buffer.turn(event.turn)
            case "partial":
                if track := self._tracks.get(event.partial.track):
                    yield from track.buffer.partial(event.partial)
            case "final":
                if track := self._tracks.get(event.final.track):
                    yield from track.buffer.final(event.final)
            case "acknowledged":
                for progress in event.acknowledged.tracks:
                    yield from self._progress(progress)
            case "warning":
                if event.warning.track_dropped:
                    yield from self._dropped(event.warning)

    def _progress(self, progress: live.TrackProgress) -> Iterator[Event]:
        track = self._tracks.get(progress.track)
        if track is None:
            return
        if progress.HasField("begin_offset"):
            yield from track.buffer.place(seconds(progress.begin_offset))
        if track.left is not None and progress.durable_sequence >= track.left:
            del self._tracks[track.name]
            yield from track.buffer.settle()

    def _dropped(self, warning: live.SessionWarning) -> Iterator[Event]:
        """Has the items of a track fail that goes no further."""
        track = self._tracks.pop(warning.track, None)
        if track is None:
            return
        if track is self._current:
            self._before += track.seconds
            self._current = None
        found = Reason.__members__.get(warning.warning.reason, Reason.INTERNAL)
        error = error_of(document_of(StageError(found.code, found, warning.warning.message)))
        failed = list(track.buffer.fail(error))
        yield from failed or [{"type": "error", "error": error}]

    async def _begin(self) -> _Track:
        self._count += 1
        manual = self._settings.turn_detection is None
        buffer = (
            CommittedBuffer(self._ledger) if manual else SpokenTurns(self._ledger, self._before)
        )
        track = _Track(name=str(self._count), buffer=buffer, format=self._settings.audio_format)
        self._tracks[track.name] = self._current = track
        await self._session.join(track.name, format=track.format)
        return track

    async def _leave(self) -> None:
        """Ends the current track."""
        track, self._current = self._current, None
        assert track is not None
        self._before += track.seconds
        track.left = await self._session.leave(track.name)
