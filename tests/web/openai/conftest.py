"""OpenAI's own clients before the web part."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web
from tests.web.conftest import web as web
from tests.web.node import run_node

PROGRAM = Path(__file__).with_name("client.mjs")
AUDIO = b"RIFF\0\0\0\0WAVE" + bytes(range(256)) * 40
FILE = ("talk.wav", AUDIO)


@asynccontextmanager
async def client_at(url: str, key: str) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client for Python, which tries each request once."""
    async with AsyncOpenAI(
        api_key=key,
        base_url=f"{url}/v1",
        max_retries=0,
        timeout=PATIENCE_SECONDS,
        http_client=DefaultAsyncHttpxClient(trust_env=False),
    ) as client:
        yield client


@pytest.fixture
async def openai(web: Web, key: str) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client for Python."""
    async with client_at(web.url, key) as client:
        yield client


async def node(url: str, key: str, work: str, **options: Any) -> Any:
    """What OpenAI's client for JavaScript makes of some work of client.mjs."""
    return await run_node(
        PROGRAM,
        work,
        json.dumps(options),
        OPENAI_BASE_URL=f"{url}/v1",
        OPENAI_API_KEY=key,
    )
