"""Gateways that die."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from maie_client.health import health_of
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS


@asynccontextmanager
async def killed_gateway(mesh: EmptyMesh, address: str, **variables: str) -> AsyncIterator[None]:
    """A gateway in a process of its own, which is killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_gateway"),
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("MAIE_")},
            "MAIE_NATS_URL": mesh.mesh.nats_url,
            "MAIE_BLOB_URL": mesh.mesh.blob_url,
            "MAIE_GATEWAY_LISTEN": address,
            **variables,
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await health_of(address):
                await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
