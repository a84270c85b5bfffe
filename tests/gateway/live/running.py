"""A gateway in a process of its own, which a test can kill."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from maie_client import Client, ClientError
from tests.conftest import free_port
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS


@asynccontextmanager
async def gateway_process(
    mesh: EmptyMesh, **variables: str
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """A gateway; gives its address and its process."""
    address = f"127.0.0.1:{free_port()}"
    own = {"MAIE_GATEWAY_LISTEN": address, "MAIE_GATEWAY_READ_MODEL_URL": "sqlite://"}
    async with _process(mesh, "maie_gateway", **own, **variables) as process:
        await _until_serving(address, process)
        yield address, process


@asynccontextmanager
async def enhancement_process(mesh: EmptyMesh) -> AsyncIterator[asyncio.subprocess.Process]:
    """An enhancement service with the engine `rules`, which answers; gives its process."""
    address = f"127.0.0.1:{free_port()}"
    async with _process(mesh, "maie_enhancement", MAIE_ENHANCEMENT_LISTEN=address) as process:
        await _until_serving(address, process)
        yield process


@asynccontextmanager
async def _process(
    mesh: EmptyMesh, module: str, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A part of the mesh; killed at the end."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("MAIE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        env={
            **others,
            "MAIE_NATS_URL": mesh.mesh.nats_url,
            "MAIE_BLOB_URL": mesh.mesh.blob_url,
            **variables,
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _until_serving(address: str, process: asyncio.subprocess.Process) -> None:
    """Waits until a part answers; fails where it ends before."""
    async with Client(address) as client, asyncio.timeout(PATIENCE_SECONDS):
        while not await _serves(client):
            assert process.returncode is None
            await asyncio.sleep(0.05)


async def _serves(client: Client) -> bool:
    try:
        return await client.health()
    except ClientError:
        return False
