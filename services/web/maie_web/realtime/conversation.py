"""One connection of the realtime API: events of a client in, and events for it out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from pydantic import ValidationError

from maie.catalog.v1 import catalog_pb2 as catalog
from maie_client.live import LiveSession
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_web.live.handshake import AnyWebSocket
from maie_web.live.passing import received, show, until_one_ends
from maie_web.openai.errors import error_of
from maie_web.problems import document_of
from maie_web.realtime.dialect import Dialect
from maie_web.realtime.items import Event, Ledger
from maie_web.realtime.settings import SessionSettings
from maie_web.realtime.sound import Sound

COMMIT = "input_audio_buffer.commit"
EMPTY = "input_audio_buffer_commit_empty"
PARAMS: Mapping[str, str] = {
    "language_code": "language",
    "initial_prompt": "prompt",
    "hotwords": "keywords",
    "min_silence": "silence_duration_ms",
    "max_silence": "eagerness",
}


class Voice:
    """Sends events, one after another, with ids.

    Args:
        socket: The client.
    """

    def __init__(self, socket: AnyWebSocket) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._one_at_a_time = asyncio.Lock()

    async def say(self, *events: Event) -> None:
        """Sends events.

        Raises:
            StageError: DEADLINE_EXCEEDED with CALLER_STALLED: the client takes nothing.
        """
        async with self._one_at_a_time:
            for event in events:
                numbered = {"event_id": f"event_{next(self._numbers)}", **event}
                await show(self._socket, json.dumps(numbered, ensure_ascii=False))


class Conversation:
    """One client and its live session.

    Args:
        socket: The client.
        voice: Sends to it.
        session: The session, which has begun.
        models: The models of the ASR stage.
        settings: The first settings.
        dialect: How it spells them.
    """

    def __init__(
        self,
        socket: AnyWebSocket,
        voice: Voice,
        session: LiveSession,
        models: Sequence[catalog.Model],
        settings: SessionSettings,
        dialect: Dialect,
    ) -> None:
        self._socket = socket
        self._voice = voice
        self._session = session
        self._models = models
        self._settings = settings
        self._dialect = dialect
        self._sound = Sound(session, Ledger(session.session_id, dialect.item_events), settings)
        self._takers = {
            dialect.update: self._update,
            "input_audio_buffer.append": self._append,
            COMMIT: self._commit,
            "input_audio_buffer.clear": self._clear,
        }

    async def run(self, closing: asyncio.Event) -> None:
        """Runs until the client leaves, the session is over, or the web part stops.

        Raises:
            ClientError: The session cannot go on.
            StageError: DEADLINE_EXCEEDED with CALLER_STALLED: the client takes nothing.
            WebSocketDisconnect: The client left.
        """
        await self._voice.say(self._shown(self._dialect.created))
        await until_one_ends(self._pass_on(), self._receive(), closing.wait())

    async def _pass_on(self) -> None:
        async for event in self._session:
            await self._voice.say(*self._sound.take(event))

    async def _receive(self) -> None:
        while True:
            await self._take(await received(self._socket))

    async def _take(self, content: str | bytes) -> None:
        """Takes an event; one that is wrong is answered, and changes nothing."""
        event: Event = {}
        try:
            event = _parsed(content)
            await self._voice.say(*await self._taker(event)(event))
        except (StageError, ValidationError) as error:
            if isinstance(error, StageError) and error.reason == Reason.CALLER_STALLED:
                raise
            await self._voice.say(failure(error, event))

    def _taker(self, event: Event) -> Any:
        kind = event.get("type")
        taker = self._takers.get(kind) if isinstance(kind, str) else None
        if taker is None:
            raise invalid(
                Reason.FIELD_INVALID,
                f"`type` must be one of {', '.join(self._takers)}.",
                field="type",
            )
        return taker

    async def _update(self, event: Event) -> Iterable[Event]:
        changed = self._settings.with_changes(self._dialect.changes(event.get("session")))
        changed.check(self._models)
        await self._sound.configure(changed)
        self._settings = changed
        return [self._shown(self._dialect.updated)]

    async def _append(self, event: Event) -> Iterable[Event]:
        audio = event.get("audio")
        if not isinstance(audio, str):
            raise invalid(Reason.FIELD_INVALID, "`audio` must be in Base64.", field="audio")
        await self._sound.append(audio)
        return ()

    async def _commit(self, _: Event) -> Iterable[Event]:
        return await self._sound.commit()

    async def _clear(self, _: Event) -> Iterable[Event]:
        await self._sound.clear()
        return [{"type": "input_audio_buffer.cleared"}]

    def _shown(self, kind: str) -> Event:
        shown = self._dialect.shown(self._session.session_id, self._settings)
        return {"type": kind, "session": shown}


def failure(error: Exception, event: Event | None = None) -> Event:
    """The event of an error.

    Args:
        error: What failed.
        event: The client's event that caused it; None where none did.
    """
    if isinstance(error, ValidationError):
        error = _invalid_settings(error)
    document, event = document_of(error), event or {}
    found = error_of(document, PARAMS)
    if document.reason == Reason.AUDIO_PART_INVALID and event.get("type") == COMMIT:
        found["code"] = EMPTY
    return {"type": "error", "error": {**found, "event_id": event.get("event_id")}}


def _parsed(content: str | bytes) -> Event:
    if isinstance(content, str):
        try:
            event = json.loads(content)
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict):
            return event
    raise invalid(Reason.REQUEST_UNREADABLE, "An event is a JSON object in a text message.")


def _invalid_settings(error: ValidationError) -> StageError:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"])) or "session"
    return invalid(Reason.FIELD_INVALID, f"`{field}`: {first['msg']}.", field=field)
