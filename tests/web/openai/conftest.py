"""OpenAI's own clients before the web part."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from maie.access.v1 import access_pb2 as access
from maie_client import Client
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web
from tests.web.conftest import web as web

PROGRAM = Path(__file__).with_name("client.mjs")
SCOPES = [access.SCOPE_SUBMIT, access.SCOPE_READ, access.SCOPE_LIVE]
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


async def key_of(client: Client) -> str:
    """An API key of a mesh."""
    made = await client.keys.create(tenant="acme", scopes=SCOPES)
    return made.api_key


@pytest.fixture
async def key(web: Web) -> str:
    """An API key."""
    return await key_of(web.grpc)


@pytest.fixture
async def acme(web: Web, key: str) -> Client:
    """The gateway for who has the key."""
    return web.grpc.acting(token=key)


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


async def run_node(program: Path, *arguments: str, **environment: str) -> Any:
    """What a program in JavaScript prints as JSON."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node.js is not installed")
    process = await asyncio.create_subprocess_exec(
        found,
        program,
        *arguments,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    return json.loads(output)
