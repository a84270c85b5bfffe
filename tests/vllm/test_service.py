"""A real enhancement service around vLLM: its start, its deaths and its end."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.enhancement.v1 import enhancement_pb2_grpc
from maie_core.models import file_sha256
from tests.conftest import NatsServer
from tests.models.meetings.sentences import spoken
from tests.vllm.service import LOAD_SECONDS, NOT_SERVING, Service, vllm_service
from tests.vllm.tiny import MODEL, TEXTS
from tests.waiting import until

pytestmark = pytest.mark.mesh

ORPHAN_SECONDS = 3


def enhance(running: Service, *texts: str) -> Any:
    """Asks for texts to be punctuated."""
    transcript = common.Transcript(
        segments=[
            common.Segment(segment_id=f"c0000-s{number:04d}", text=text)
            for number, text in enumerate(texts)
        ]
    )
    stub = enhancement_pb2_grpc.EnhancementServiceStub(running.channel)
    return stub.Enhance(enhancement.EnhanceRequest(transcript=transcript))


async def answers_of(call: Any) -> list[Any]:
    """All that a call answers."""
    return [answer async for answer in call]


async def test_health_answers_while_the_model_loads_and_a_dead_engine_ends_the_service(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with vllm_service("enhancement", nats_server, tmp_path) as running:
        answers = await running.serving()
        print(f"health while loading: {len(answers)} answers, slowest {max(answers):.2f} s")
        # It was asked all the while, not once before and once after.
        assert len(answers) > 10
        results = await answers_of(enhance(running, spoken(TEXTS[0]), spoken(TEXTS[1])))
        clean = [segment.clean_text for segment in results[-1].result.segments]
        assert clean == TEXTS[:2]
        assert results[-1].result.enhancement_engine.engine == "vllm"

        engine = running.engine()
        assert engine is not None
        # Nothing is answered any more, so the call is in hand when the engine dies.
        engine.suspend()
        call = asyncio.create_task(answers_of(enhance(running, spoken(TEXTS[2]))))
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
    async with vllm_service("enhancement", nats_server, tmp_path) as running:
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
    async with vllm_service("enhancement", nats_server, tmp_path) as running:
        engine = await until(running.engine, LOAD_SECONDS)
        assert await running.health() == NOT_SERVING
        assert engine is not None
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
    async with vllm_service("enhancement", nats_server, tmp_path, corrupt) as running:
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
    async with vllm_service("enhancement", nats_server, tmp_path, odd) as running:
        async with asyncio.timeout(LOAD_SECONDS):
            assert await running.process.wait() == 1
    log = running.log.read_text()
    assert "cannot be loaded" in log
    assert "NobodyKnowsThisOne" in log


async def test_a_cache_that_does_not_fit_into_memory_says_so(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with vllm_service("enhancement", nats_server, tmp_path, cpu_cache_gib=100_000) as running:
        async with asyncio.timeout(LOAD_SECONDS):
            assert await running.process.wait() == 1
    assert "OUT_OF_MEMORY" in running.log.read_text()
