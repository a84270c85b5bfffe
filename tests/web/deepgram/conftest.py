"""Deepgram's own clients before the web part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment

from tests.waiting import PATIENCE_SECONDS


def environment(url: str) -> DeepgramClientEnvironment:
    """The addresses of a mesh."""
    sockets = url.replace("http", "ws", 1)
    return DeepgramClientEnvironment(base=url, production=sockets, agent=sockets, agent_rest=url)


@asynccontextmanager
async def client_at(url: str, key: str) -> AsyncIterator[AsyncDeepgramClient]:
    """Deepgram's client for Python."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as http:
        yield AsyncDeepgramClient(api_key=key, environment=environment(url), httpx_client=http)
