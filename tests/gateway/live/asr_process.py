"""An ASR service in a process of its own, whose engine may hang; its supervisor restarts it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from maie_runtime.worker.host import HUNG_STATUS
from tests.conftest import free_port
from tests.gateway.conftest import EmptyMesh

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def supervised_asr(
    mesh: EmptyMesh, name: str, ended: list[int], **variables: str
) -> AsyncIterator[None]:
    """An ASR service that reads tones.

    Args:
        mesh: Where it works.
        name: Its name.
        ended: Gets the status with which each of its processes ended.
        variables: Its settings.
    """
    environment = {
        **os.environ,
        "MAIE_NATS_URL": mesh.mesh.nats_url,
        "MAIE_BLOB_URL": mesh.mesh.blob_url,
        "MAIE_ASR_LISTEN": f"127.0.0.1:{free_port()}",
        "MAIE_ASR_INSTANCE": name,
        **variables,
    }

    async def supervise() -> None:
        status = HUNG_STATUS
        while status == HUNG_STATUS:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.live_engine"),
                cwd=ROOT,
                env=environment,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                status = await process.wait()
            except asyncio.CancelledError:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
                raise
            ended.append(status)

    supervising = asyncio.create_task(supervise())
    try:
        yield
    finally:
        supervising.cancel()
        await asyncio.gather(supervising, return_exceptions=True)
