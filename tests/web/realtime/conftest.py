"""OpenAI's own clients before the web part of a mesh for live speech."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from openai import AsyncOpenAI

from maie_client import Client
from tests.conftest import broker  # noqa: F401 - a fixture
from tests.gateway.live.conftest import live_mesh, shared_live_mesh  # noqa: F401 - fixtures
from tests.gateway.live.speech import pieces
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web, key_of
from tests.web.live.conftest import live_web as live_web
from tests.web.openai.conftest import client_at

RATE = 24_000
MANUAL: dict[str, Any] = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}


class Talk:
    """A connection, whose events are kept as they come."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.events: list[Any] = []

    async def next(self, kind: str) -> Any:
        """Waits for an event of a kind; no error may come before."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                event = await self.connection.recv()
                self.events.append(event)
                if event.type == kind:
                    return event
                assert event.type != "error", event

    async def append(self, sound: bytes, rate: int = RATE) -> None:
        """Speaks."""
        for piece in pieces(sound, rate=rate):
            audio = b64encode(piece).decode()
            await self.connection.input_audio_buffer.append(audio=audio)

    async def update(self, **audio_input: Any) -> Any:
        """Changes settings, and waits until they are."""
        session: Any = {"type": "transcription", "audio": {"input": audio_input}}
        await self.connection.session.update(session=session)
        return (await self.next("session.updated")).session

    async def texts(self, count: int) -> list[str]:
        """Waits for so many items."""
        kind = "conversation.item.input_audio_transcription.completed"
        return [(await self.next(kind)).transcript for _ in range(count)]

    def kinds(self) -> list[str]:
        """What came so far."""
        return [event.type for event in self.events]


@pytest.fixture
async def key(live_web: Web) -> str:
    """An API key of a tenant of the test's own."""
    return await key_of(live_web.grpc, tenant=uuid4().hex)


@pytest.fixture
async def acme(live_web: Web, key: str) -> Client:
    """The gateway for who has the key."""
    return live_web.grpc.acting(token=key)


@pytest.fixture
async def openai(live_web: Web, key: str) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client for Python."""
    async with client_at(live_web.url, key) as client:
        yield client


@asynccontextmanager
async def talking(
    client: AsyncOpenAI, query: Mapping[str, str] | None = None
) -> AsyncIterator[Talk]:
    """A connection for transcription."""
    asked = query or {"intent": "transcription"}
    async with client.realtime.connect(extra_query=asked) as connection:
        talk = Talk(connection)
        await talk.next("session.created")
        yield talk


@pytest.fixture
async def talk(openai: AsyncOpenAI) -> AsyncIterator[Talk]:
    """A connection for transcription."""
    async with talking(openai) as found:
        yield found
