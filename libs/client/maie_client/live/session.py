"""A live session."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from maie.asr.v1 import streaming_pb2 as streaming
from maie.live.v1 import live_pb2 as live
from maie_client.live.audio import divided, second_bytes
from maie_client.live.errors import session_left
from maie_client.live.gateways import Gateways
from maie_client.live.inbox import Inbox
from maie_client.live.line import Line
from maie_client.live.outbox import Outbox
from maie_client.live.resume import ResumePoint
from maie_client.text import sendable, sendable_name


class LiveSession:
    """A live session; an asynchronous context manager, and an iterator of its events.

    Made by `Client.live`. Audio that is not yet in stored finals is kept, and sent
    again when a call breaks; events come in order, and durable ones (finals,
    refinements, what is said of speakers, the end) once. Leaving the block without
    `end` keeps the session: a client with its `resume_point` may go on with it.

    Every method raises ClientError: the gateway's error where the session or the track
    cannot go on, FAILED_PRECONDITION with SESSION_ENDED after its end, or
    INVALID_ARGUMENT with STREAM_OUT_OF_ORDER after `end`.

    Attributes:
        started: The first answer of the gateway. `started.tracks` says where the
            tracks of a resumed session go on.
    """

    def __init__(
        self,
        start: live.StartSession,
        gateways: Gateways,
        patience: timedelta,
        most_kept: timedelta,
    ) -> None:
        self.started = live.SessionStarted()
        self._gateways = gateways
        self._outbox = Outbox()
        self._inbox = Inbox(start.after_sequence)
        self._line = Line(start, gateways, self._outbox, self._inbox, patience)
        self._most_kept_seconds = most_kept.total_seconds()
        self._formats: dict[str, live.AudioFormat] = {}

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._line.run())
        try:
            self.started = await self._line.started
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._leave()

    @property
    def session_id(self) -> str:
        """The session's id, which is also its job's."""
        return self.started.session_id

    @property
    def resume_point(self) -> ResumePoint:
        """What another process needs to go on after the last event that was read here."""
        return ResumePoint(
            session_id=self.session_id,
            resume_token=self._line.resume_token,
            after_sequence=self._inbox.read_sequence,
            await_summary=self._line.awaits_summary,
        )

    @property
    def kept_bytes(self) -> int:
        """The bytes of what was sent and is not yet durable."""
        return self._outbox.kept_bytes

    @property
    def trouble(self) -> str:
        """Why there is no connection now, for people; empty while there is one."""
        return self._line.trouble

    @property
    def unread(self) -> int:
        """How many events wait to be read."""
        return self._inbox.unread

    async def send(self, audio: bytes, track: str = "") -> None:
        """Sends the next audio of a track.

        Waits while so much of the track is not yet durable that no more is kept.

        Args:
            audio: Whole samples in the track's format, of any length, which are
                divided into messages; of a compressed format, one message.
            track: The track.
        """
        for content in divided(audio, self._format_of(track)):
            await self._add(track, live.TranscribeRequest(audio=live.TrackAudio(content=content)))

    async def silence(self, duration: timedelta, track: str = "") -> None:
        """Sends silence in place of audio, such as of a muted microphone; up to 1 h."""
        silence = live.TrackSilence(duration=duration)
        await self._add(track, live.TranscribeRequest(silence=silence))

    async def finalize(self, track: str = "") -> None:
        """Ends the track's current utterance after the audio that was sent."""
        await self._add(track, live.TranscribeRequest(finalize=live.TrackFinalize()))

    async def join(
        self,
        track: str,
        *,
        display_name: str = "",
        format: live.AudioFormat | None = None,  # noqa: A002 # the contract's word
        language_code: str = "",
        several_speakers: bool | None = None,
    ) -> None:
        """Names a track before its first audio.

        Args:
            track: The track.
            display_name: Who speaks, for people.
            format: The format of its audio; the session's where unset.
            language_code: The language of its speech; the session's where empty.
            several_speakers: Whether several people share it; as the session's where
                unset.
        """
        join = live.TrackJoin(
            track=sendable(track),
            display_name=sendable_name(display_name),
            format=format,
            language_code=sendable(language_code),
            several_speakers=several_speakers,
        )
        await self.add(live.TranscribeRequest(join=join))

    async def leave(self, track: str = "") -> int:
        """Ends a track, and its current utterance.

        Returns:
            The number of the track's last message. The track is over when it is durable.
        """
        leave = live.TrackLeave(track=sendable(track))
        return await self.add(live.TranscribeRequest(leave=leave))

    async def add(self, message: live.TranscribeRequest) -> int:
        """Sends a message about a track as it is, for those who have the contract's own.

        Args:
            message: `audio`, `silence`, `finalize`, `join` or `leave`; gets its number.

        Returns:
            The message's number in its track.
        """
        about: Any = getattr(message, message.WhichOneof("request") or "audio")
        if message.HasField("join") and message.join.HasField("format"):
            self._formats[about.track] = message.join.format
        number = await self._add(about.track, message)
        if message.HasField("leave"):
            self._formats.pop(about.track, None)
        return number

    async def configure(
        self, options: streaming.StreamingOptions, track: str | None = None
    ) -> None:
        """Changes options from the next utterances on, of one track or of all."""
        self._outbox.configure(live.ConfigureSession(track=track, options=options))

    async def end(
        self, *, without_summary: bool = False, await_summary: bool = False
    ) -> live.SessionEnded:
        """Ends the session, and waits for its end.

        Args:
            without_summary: Whether to leave out the summary that the options
                ask for.
            await_summary: Whether the session waits for the summary, which is then the
                last event; `summary` gives it.

        Raises:
            ClientError: Also INVALID_ARGUMENT with SUMMARY_NOT_REQUESTED.
        """
        self.request_end(
            live.EndSession(without_summary=without_summary, await_summary=await_summary)
        )
        return await self._inbox.end(at_once=self._line.awaits_summary)

    def request_end(self, end: live.EndSession) -> None:
        """Sends the end, as `end` does, and does not wait: `ended` is then among the events."""
        if end.await_summary and not self._outbox.has_end:
            self._line.await_summary()
        self._outbox.end(without_summary=end.without_summary, await_summary=end.await_summary)

    async def summary(self) -> live.SessionSummary:
        """Waits for the summary that `end` asked for; gives it, or why there is none."""
        return await self._inbox.final_summary()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> live.TranscribeResponse:
        if (event := await self._inbox.next()) is None:
            raise StopAsyncIteration
        return event

    async def _add(self, track: str, message: live.TranscribeRequest) -> int:
        most = self._most_kept_seconds * second_bytes(self._format_of(track))
        return await self._outbox.add(sendable(track), message, int(most))

    def _format_of(self, track: str) -> live.AudioFormat:
        return self._formats.get(track, self.started.config.format)

    async def _leave(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._outbox.close(session_left())
        self._inbox.close(session_left())
        await self._gateways.close()
