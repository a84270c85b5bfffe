"""A real service around vLLM, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import NatsServer, free_port
from tests.vllm.tiny import MODEL, OUTSIDE, SETTINGS

ROOT = Path(__file__).parents[2]
LOAD_SECONDS = 180
# Health that takes longer is no health: a probe would give the service up.
ANSWER_SECONDS = 5
END_SECONDS = 30
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass(kw_only=True, frozen=True)
class Service:
    """A service's process and how to talk to it."""

    process: asyncio.subprocess.Process
    channel: grpc.aio.Channel
    log: Path

    async def health(self) -> int:
        """What the service says of itself; fails where it says nothing in time."""
        stub: Any = health_pb2_grpc.HealthStub(self.channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS)
        return int(answer.status)

    async def listening(self) -> None:
        """Waits until the service answers at all."""
        async with asyncio.timeout(LOAD_SECONDS):
            await self.channel.channel_ready()

    async def serving(self) -> list[float]:
        """Waits until the model is loaded; gives how long health took to answer meanwhile."""
        answers = []
        await self.listening()
        async with asyncio.timeout(LOAD_SECONDS):
            while True:
                asked = time.monotonic()
                status = await self.health()
                answers.append(time.monotonic() - asked)
                if status == SERVING:
                    return answers
                assert status == NOT_SERVING
                await asyncio.sleep(0.05)

    def engine(self) -> psutil.Process | None:
        """The process in which the model runs."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next((child for child in children if "EngineCor" in child.name()), None)

    async def ended(self) -> int:
        """The status that the process ends with."""
        async with asyncio.timeout(END_SECONDS):
            return await self.process.wait()


@asynccontextmanager
async def vllm_service(
    stage: str, nats_server: NatsServer, tmp_path: Path, model: Path = MODEL, **settings: Any
) -> AsyncIterator[Service]:
    """A stage's service with the engine `vllm`; killed in the end."""
    address = f"127.0.0.1:{free_port()}"
    prefix = f"MAIE_{stage.upper()}"
    options = {
        f"{prefix}_VLLM_{name.upper()}": str(value)
        for name, value in {**SETTINGS, **settings}.items()
    }
    log = tmp_path / "service.log"
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"maie_{stage}"),
            cwd=ROOT,
            env={
                **OUTSIDE,
                "MAIE_NATS_URL": nats_server.url,
                "MAIE_BLOB_URL": (tmp_path / "blobs").as_uri(),
                f"{prefix}_LISTEN": address,
                f"{prefix}_ENGINE": "vllm",
                f"{prefix}_GENERATION_TEMPERATURE": "0",
                f"{prefix}_VLLM_MODEL_PATH": str(model),
                **options,
            },
            stdout=file,
            stderr=file,
        )
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield Service(process=process, channel=channel, log=log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
