"""A real enhancement service around vLLM: its start, its deaths and its end."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.enhancement.v1 import enhancement_pb2_grpc
from maie_runtime.models import file_sha256
from tests.conftest import NatsServer, free_port
from tests.models.meetings.sentences import spoken
from tests.vllm.tiny import MODEL, OUTSIDE, SETTINGS, TEXTS

pytestmark = [pytest.mark.mesh, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
LOAD_SECONDS = 180
# Health that takes longer is no health: a probe would give the service up.
ANSWER_SECONDS = 5
END_SECONDS = 30
ORPHAN_SECONDS = 3
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
        stub = health_pb2_grpc.HealthStub(self.channel)
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

    def enhance(self, *texts: str) -> Any:
        """Asks for texts to be punctuated."""
        transcript = common.Transcript(
            segments=[
                common.Segment(segment_id=f"c0000-s{number:04d}", text=text)
                for number, text in enumerate(texts)
            ]
        )
        stub = enhancement_pb2_grpc.EnhancementServiceStub(self.channel)
        return stub.Enhance(enhancement.EnhanceRequest(transcript=transcript))

    async def ended(self) -> int:
        """The status that the process ends with."""
        async with asyncio.timeout(END_SECONDS):
            return await self.process.wait()


@asynccontextmanager
async def service(
    nats_server: NatsServer, tmp_path: Path, model: Path = MODEL, **settings: Any
) -> AsyncIterator[Service]:
    """The enhancement service with the engine `vllm`; killed in the end."""
    address = f"127.0.0.1:{free_port()}"
    options = {
        f"MAIE_ENHANCEMENT_VLLM_{name.upper()}": str(value)
        for name, value in {**SETTINGS, **settings}.items()
    }
    log = tmp_path / "service.log"
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "maie_enhancement"),
            cwd=ROOT,
            env={
                **OUTSIDE,
                "MAIE_NATS_URL": nats_server.url,
                "MAIE_BLOB_URL": (tmp_path / "blobs").as_uri(),
                "MAIE_ENHANCEMENT_LISTEN": address,
                "MAIE_ENHANCEMENT_ENGINE": "vllm",
                "MAIE_ENHANCEMENT_GENERATION_TEMPERATURE": "0",
                "MAIE_ENHANCEMENT_VLLM_MODEL_PATH": str(model),
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


async def answers_of(call: Any) -> list[Any]:
    """All that a call answers."""
    return [answer async for answer in call]


async def until(condition: Callable[[], Any], seconds: float) -> Any:
    """Waits until something is there."""
    async with asyncio.timeout(seconds):
        while not (found := condition()):
            await asyncio.sleep(0.05)
    return found


async def test_health_answers_while_the_model_loads_and_a_dead_engine_ends_the_service(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with service(nats_server, tmp_path) as running:
        answers = await running.serving()
        print(f"health while loading: {len(answers)} answers, slowest {max(answers):.2f} s")
        # It was asked all the while, not once before and once after.
        assert len(answers) > 10
        results = await answers_of(running.enhance(spoken(TEXTS[0]), spoken(TEXTS[1])))
        clean = [segment.clean_text for segment in results[-1].result.segments]
        assert clean == TEXTS[:2]
        assert results[-1].result.enhancement_engine.engine == "vllm"

        engine = running.engine()
        assert engine is not None
        # Nothing is answered any more, so the call is in hand when the engine dies.
        engine.suspend()
        call = asyncio.create_task(answers_of(running.enhance(spoken(TEXTS[2]))))
        await asyncio.sleep(2)
        assert not call.done()
        engine.kill()
        killed = time.monotonic()
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await call
        assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
        assert await running.ended() == 1
        print(f"the service ended {time.monotonic() - killed:.1f} s after its engine")
    log = running.log.read_text()
    assert "watchdog.died" in log
    assert "MODEL_UNAVAILABLE" in log


async def test_a_killed_service_leaves_no_process_behind(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with service(nats_server, tmp_path) as running:
        await running.serving()
        children = psutil.Process(running.process.pid).children(recursive=True)
        assert running.engine() in children
        running.process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        await running.ended()
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, ORPHAN_SECONDS)
        print(f"orphans were gone after {time.monotonic() - killed:.2f} s")
        assert not alive


async def test_a_service_that_loads_ends_when_told_and_with_all_its_processes(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with service(nats_server, tmp_path) as running:
        engine = await until(running.engine, LOAD_SECONDS)
        assert await running.health() == NOT_SERVING
        running.process.terminate()
        assert await running.ended() == 0
        _, alive = await asyncio.to_thread(psutil.wait_procs, [engine], ORPHAN_SECONDS)
        assert not alive


async def test_a_corrupt_model_stops_the_service_naming_the_file_and_both_hashes(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    corrupt = tmp_path / "model"
    await asyncio.to_thread(shutil.copytree, MODEL, corrupt)
    weights = corrupt / "model.safetensors"
    before = file_sha256(weights)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    async with service(nats_server, tmp_path, corrupt) as running:
        async with asyncio.timeout(60):
            assert await running.process.wait() == 1
    log = running.log.read_text()
    assert "MODEL_CORRUPT" in log
    for words in ("model.safetensors", before, file_sha256(weights)):
        assert words in log


async def test_a_model_that_cannot_be_loaded_says_what_vllm_said(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    from maie_cli.models import trust

    odd = tmp_path / "model"
    await asyncio.to_thread(shutil.copytree, MODEL, odd)
    config = odd / "config.json"
    config.write_text(config.read_text().replace("Qwen3ForCausalLM", "NobodyKnowsThisOne"))
    trust(odd)
    async with service(nats_server, tmp_path, odd) as running:
        async with asyncio.timeout(LOAD_SECONDS):
            assert await running.process.wait() == 1
    log = running.log.read_text()
    assert "cannot be loaded" in log
    assert "NobodyKnowsThisOne" in log


async def test_a_cache_that_does_not_fit_into_memory_says_so(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with service(nats_server, tmp_path, cpu_cache_gib=100_000) as running:
        async with asyncio.timeout(LOAD_SECONDS):
            assert await running.process.wait() == 1
    assert "OUT_OF_MEMORY" in running.log.read_text()
