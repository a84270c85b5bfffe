"""Shared GPUs for tests: a lease that is soon forgotten, and processes that hold it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, open_broker
from maie_runtime.gpu.lease import GpuLock
from tests.conftest import NatsServer
from tests.waiting import until

GPU = "node-1.example/0"
# A machine that is busy for half of it costs no holder the GPU.
TTL = 5.0
ROOT = Path(__file__).parents[2]


async def forget_soon(broker: Broker, seconds: float = TTL) -> None:
    """Makes the server forget silent holders sooner than in production."""
    name = subjects.bucket_stream(subjects.GPUS)
    there = (await broker.jetstream.stream_info(name)).config
    await broker.jetstream.update_stream(there.evolve(max_age=seconds, duplicate_window=seconds))


@asynccontextmanager
async def open_lease(broker: Broker, holder: str) -> AsyncIterator[GpuLock]:
    """A lease of the GPU that all tests share."""
    async with GpuLock(broker, GPU, holder) as lease:
        yield lease


class Diary:
    """What processes wrote of their use of the GPU, a line of JSON for each thing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[dict[str, Any]]:
        """All that was written as yet; a line that a kill cut off does not count."""
        if not self.path.exists():
            return []
        lines = self.path.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    async def has(self, what: str, by: str) -> dict[str, Any]:
        """Waits for an entry."""

        def found() -> list[dict[str, Any]]:
            return [entry for entry in self.read() if (entry["what"], entry["by"]) == (what, by)]

        await until(found)
        return found()[-1]


@asynccontextmanager
async def holder_process(
    nats_server: NatsServer, diary: Diary, name: str, *, hold_seconds: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that takes the GPU again and again; killed in the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.gpu_holder"),
        *(nats_server.url, str(diary.path), name, str(hold_seconds)),
        cwd=ROOT,
        env=dict(os.environ),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def another_broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    """A second connection, as another service has it."""
    async with open_broker(nats_server.url, "other") as opened:
        yield opened
