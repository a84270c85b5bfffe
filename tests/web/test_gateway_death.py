"""A gateway is killed, and what it was sending goes on when it is back."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from maie_client import Client
from maie_client.health import health_of
from tests.conftest import free_port
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web, web_before
from tests.web.test_events import durable, following, read

pytestmark = pytest.mark.mesh

# More than fits into the buffers between a gateway and a reader.
AUDIO = bytes(range(256)) * 200_000


@asynccontextmanager
async def _gateway(mesh: EmptyMesh, address: str) -> AsyncIterator[None]:
    """A gateway in a process of its own, which is killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_gateway"),
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("MAIE_")},
            "MAIE_NATS_URL": mesh.mesh.nats_url,
            "MAIE_BLOB_URL": mesh.mesh.blob_url,
            "MAIE_GATEWAY_LISTEN": address,
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await health_of(address):
                await asyncio.sleep(0.05)
        yield
    finally:
        process.kill()
        await process.wait()


async def _recording() -> AsyncIterator[bytes]:
    yield AUDIO


@asynccontextmanager
async def _mesh(empty_mesh: EmptyMesh, address: str) -> AsyncIterator[Web]:
    """The stages and the web part, before a gateway that a test starts."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(empty_mesh.services())
        client = await stack.enter_async_context(Client(address))
        yield await stack.enter_async_context(web_before(client))


async def test_events_and_audio_go_on_after_a_kill(empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages["asr"].hook = gate = Gate()
    address = f"127.0.0.1:{free_port()}"
    async with _mesh(empty_mesh, address) as web, AsyncExitStack() as stack:
        async with _gateway(empty_mesh, address):
            made = await web.grpc.create_job(_recording(), features=["raw_transcript"])
            await gate.reached.wait()
            reading = read(await stack.enter_async_context(following(web, made.job_id)))
            found = [await anext(reading)]
            place = f"/v1/jobs/{made.job_id}/audio"
            downloading = await stack.enter_async_context(web.http.stream("GET", place))
            chunks = downloading.aiter_raw()
            audio = [await anext(chunks)]
        gate.opened.set()
        async with _gateway(empty_mesh, address):
            found += [event async for event in reading]
            audio += [chunk async for chunk in chunks]
    assert durable(found) == list(range(1, durable(found)[-1] + 1))
    assert found[-1].data["finished"]["job"]["state"] == "COMPLETE"
    assert b"".join(audio) == AUDIO
