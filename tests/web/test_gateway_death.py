"""A gateway is killed, and what it was sending goes on when it is back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from maie_client import Client
from tests.conftest import free_port
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web, web_before
from tests.web.gateways import killed_gateway
from tests.web.test_events import durable, following, read

pytestmark = pytest.mark.mesh

# More than fits into the buffers between a gateway and a reader.
AUDIO = bytes(range(256)) * 200_000


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
        async with killed_gateway(empty_mesh, address):
            made = await web.grpc.create_job(_recording(), features=["raw_transcript"])
            await gate.reached.wait()
            reading = read(await stack.enter_async_context(following(web, made.job_id)))
            found = [await anext(reading)]
            place = f"/v1/jobs/{made.job_id}/audio"
            downloading = await stack.enter_async_context(web.http.stream("GET", place))
            chunks = downloading.aiter_raw()
            audio = [await anext(chunks)]
        gate.opened.set()
        async with killed_gateway(empty_mesh, address):
            found += [event async for event in reading]
            audio += [chunk async for chunk in chunks]
    assert durable(found) == list(range(1, durable(found)[-1] + 1))
    assert found[-1].data["finished"]["job"]["state"] == "COMPLETE"
    assert b"".join(audio) == AUDIO
