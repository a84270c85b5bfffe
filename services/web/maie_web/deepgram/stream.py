"""Live speech over a WebSocket, as Deepgram's clients speak."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from maie.asr.v1 import streaming_pb2 as streaming
from maie.live.v1 import live_pb2 as live
from maie_client.live import LiveSession
from maie_core.durations import seconds
from maie_web.deepgram.formats import found_format
from maie_web.deepgram.messages import Message, Messages
from maie_web.deepgram.options import StreamOptions
from maie_web.live.handshake import AnyWebSocket
from maie_web.live.passing import received, show, until_one_ends
from maie_web.live.samples import WholeSamples

TRACK = ""


class Stream:
    """One client and its live session.

    Args:
        socket: The client.
        session: The session, which has begun.
        asked: What was asked for.
        messages: Makes messages of events.
        format_: The format of the audio; None where the audio says it itself.
    """

    def __init__(
        self,
        socket: AnyWebSocket,
        session: LiveSession,
        asked: StreamOptions,
        messages: Messages,
        format_: live.AudioFormat | None,
    ) -> None:
        self._socket = socket
        self._session = session
        self._asked = asked
        self._messages = messages
        self._samples = WholeSamples(format_) if format_ else None
        self._hash = sha256()
        self._begun = False
        # What came before the gateway said where the audio begins, so that times are known.
        self._held: list[live.TranscribeResponse] | None = []
        self._speaking = False
        self._last: live.Final | None = None
        self._quiet_at: float | None = None

    async def run(self, closing: asyncio.Event) -> None:
        """Runs until the client leaves, the session is over, or the web part stops.

        Raises:
            ClientError: The session cannot go on.
            StageError: INVALID_ARGUMENT: the audio cannot be read; DEADLINE_EXCEEDED with
                CALLER_STALLED: the client takes nothing.
            WebSocketDisconnect: The client left.
        """
        await until_one_ends(self._pass_on(), self._receive(), closing.wait())

    async def _receive(self) -> None:
        while True:
            content = await received(self._socket)
            if isinstance(content, bytes):
                await self._hear(content)
            else:
                await self._obey(content)

    async def _hear(self, content: bytes) -> None:
        if not content:
            return
        self._hash.update(content)
        if self._samples is None:
            found = found_format(self._asked, content)
            await self._session.join(TRACK, format=found)
            self._samples = WholeSamples(found)
        if whole := self._samples.feed(content):
            self._begun = True
            await self._session.send(whole, TRACK)

    async def _obey(self, text: str) -> None:
        """Does what a control message says; one that is none is answered."""
        try:
            kind = json.loads(text)["type"]
        except (ValueError, KeyError, TypeError, RecursionError):
            kind = None
        match kind:
            case "KeepAlive":
                return
            case "Finalize":
                if self._begun:
                    await self._session.finalize(TRACK)
            case "CloseStream":
                self._session.request_end(live.EndSession(without_summary=True))
            case _:
                description = "A message is KeepAlive, Finalize or CloseStream as JSON, or audio."
                await self._say(
                    {
                        "type": "Error",
                        "variant": "SchemaError",
                        "description": description,
                        "message": text[:200],
                    }
                )

    async def _pass_on(self) -> None:
        while (event := await self._next()) is not None:
            for progress in event.acknowledged.tracks:
                if progress.HasField("begin_offset"):
                    await self._place(seconds(progress.begin_offset))
            if self._held is None:
                await self._show(event)
            elif event.WhichOneof("event") in ("turn", "partial", "final"):
                self._held.append(event)
            if event.HasField("ended"):
                await self._finish(event.ended)

    async def _next(self) -> live.TranscribeResponse | None:
        """The next event; None after the last. Says meanwhile that nobody speaks."""
        while True:
            try:
                async with asyncio.timeout_at(self._quiet_at):
                    return await anext(self._session, None)
            except TimeoutError:
                await self._end_utterance()

    async def _end_utterance(self) -> None:
        last, self._last, self._quiet_at = self._last, None, None
        if last is not None:
            await self._say(self._messages.utterance_end(last))

    async def _place(self, begin: float) -> None:
        """Takes where the audio begins, and shows what waited for that."""
        held, self._held = self._held, None
        if held is not None:
            self._messages.place(begin)
            for event in held:
                await self._show(event)

    async def _show(self, event: live.TranscribeResponse) -> None:
        if event.HasField("turn"):
            self._speaking = event.turn.event != streaming.TURN_EVENT_ENDED
            if self._speaking:
                self._quiet_at = None
        for message in self._messages.of(event):
            await self._say(message)
        if event.HasField("final"):
            self._watch(event.final)

    def _watch(self, final: live.Final) -> None:
        """Waits for nobody to speak after a final, if that is asked for."""
        if self._asked.utterance_end_ms is not None and final.segment.text:
            self._last = final
            if not self._speaking:
                wait = self._asked.utterance_end_ms / 1000
                self._quiet_at = asyncio.get_running_loop().time() + wait

    async def _finish(self, ended: live.SessionEnded) -> None:
        """Says what has not been said, and what it was."""
        await self._place(_first_place(self._held or ()))
        await self._end_utterance()
        await self._say(
            {
                "type": "Metadata",
                "transaction_key": "deprecated",
                "request_id": self._session.session_id,
                "sha256": self._hash.hexdigest(),
                "created": datetime.now(UTC).isoformat(),
                "duration": seconds(ended.audio_duration),
                "channels": self._asked.channels,
            }
        )

    async def _say(self, message: Message) -> None:
        await show(self._socket, json.dumps(message, ensure_ascii=False))


def _first_place(held: Any) -> float:
    """Where the first of some events is: the audio was too short for its beginning to be known."""
    for event in held:
        if event.HasField("turn"):
            return seconds(event.turn.offset)
        if event.HasField("final"):
            return seconds(event.final.segment.start_offset)
    return 0.0
