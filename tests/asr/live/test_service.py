"""The whole ASR service: what others see of live speech, and how it starts and stops."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from nats.js.errors import KeyNotFoundError

from maie.asr.v1 import streaming_pb2 as streaming
from maie.event.v1 import event_pb2 as event
from maie_asr.settings import AsrSettings, LiveSettings
from maie_core.settings import MeshSettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.blobs import Blobs
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import declare_lanes
from maie_runtime.worker.server import serve_stage
from tests.asr.live.calling import Call, answers, config, of, parts, text, track
from tests.asr.live.test_calls import SPOKEN, WORDS, reason_of
from tests.conftest import NatsServer, free_port
from tests.live_engine import instant_stage, quiet, say
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

BINDING = BINDINGS["asr"]
SERVICE = "maie.asr.v1.StreamingAsrService"
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
async def lanes(broker: Broker) -> None:
    """The queues of the stage, as gateways declare them."""
    await declare_lanes(broker, "asr", 15)


def settings(nats_server: NatsServer, blobs: Path, **live: Any) -> AsrSettings:
    mesh = MeshSettings(nats_url=nats_server.url, blob_url=blobs.as_uri(), shutdown_grace_seconds=5)
    return AsrSettings(
        mesh=mesh, listen="127.0.0.1:0", instance="asr-1", live=LiveSettings(workers=1, **live)
    )


async def worker_info(broker: Broker) -> event.WorkerInfo:
    """What the service says of itself, a moment after it answers calls."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(KeyNotFoundError):
                entry = await broker.workers.get("asr.asr-1")
                return event.WorkerInfo.FromString(entry.value or b"")
            await asyncio.sleep(0.01)


async def test_others_see_that_the_service_takes_live_tracks(
    nats_server: NatsServer, broker: Broker, tmp_path: Path
) -> None:
    own = settings(nats_server, tmp_path, tracks=7)
    async with (
        serve_stage(BINDING, own, lambda _: instant_stage(own)) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        health: Any = health_pb2_grpc.HealthStub(channel)
        checked = await health.Check(health_pb2.HealthCheckRequest(service=SERVICE))
        assert checked.status == health_pb2.HealthCheckResponse.SERVING
        assert SERVICE in await listed(channel)
        assert text(await answers(channel, track(*SPOKEN))) == " ".join(WORDS)
        assert (await worker_info(broker)).live_tracks == 7


async def listed(channel: grpc.aio.Channel) -> list[str]:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]
    call = stub.ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    await call.done_writing()
    answer = await call.read()
    return [service.name for service in answer.list_services_response.service]


async def test_a_service_for_recordings_alone_says_so(
    nats_server: NatsServer, broker: Broker, tmp_path: Path
) -> None:
    own = settings(nats_server, tmp_path, tracks=0)
    async with (
        serve_stage(BINDING, own, lambda _: instant_stage(own)) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await answers(channel, track(*SPOKEN))
        assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert reason_of(raised.value) == "LIVE_OFF"
        assert (await worker_info(broker)).live_tracks == 0


async def test_a_service_that_loads_its_model_says_so(
    nats_server: NatsServer, broker: Broker, tmp_path: Path
) -> None:
    loading, loaded = asyncio.Event(), asyncio.Event()
    port = free_port()
    own = settings(nats_server, tmp_path).model_copy(update={"listen": f"127.0.0.1:{port}"})

    @asynccontextmanager
    async def slow(_: Blobs) -> Any:
        loading.set()
        await loaded.wait()
        async with instant_stage(own) as stage:
            yield stage

    async def serve() -> None:
        async with serve_stage(BINDING, own, slow):
            await asyncio.Future()

    serving = asyncio.create_task(serve())
    await loading.wait()
    async with grpc.aio.insecure_channel(own.listen) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await answers(channel, track(*SPOKEN))
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        assert reason_of(raised.value) == "MODEL_LOADING"
    loaded.set()
    serving.cancel()
    await asyncio.wait({serving})


@pytest.mark.slow
async def test_sigterm_ends_utterances_with_their_finals(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.live_engine"),
        cwd=ROOT,
        env={
            **os.environ,
            "MAIE_NATS_URL": nats_server.url,
            "MAIE_BLOB_URL": tmp_path.as_uri(),
            "MAIE_ASR_LISTEN": f"127.0.0.1:{port}",
        },
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await serving(channel)
            call = Call(channel)
            await call.send(config(), *parts(say("echo", "lima")), *parts(quiet(0.2)))
            await call.read_until("turn")
            process.send_signal(signal.SIGTERM)
            found = await call.rest()
        (final,) = of(found, "final")
        assert final.text.startswith("echo")
        assert final.reason in (streaming.END_REASON_SHUTDOWN, streaming.END_REASON_SILENCE)
        assert len(of(found, "go_away")) == 1
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def serving(channel: grpc.aio.Channel) -> None:
    """Waits until the service takes calls."""
    health: Any = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service=SERVICE)
    states: list[int] = []

    async def look() -> None:
        while states[-1:] != [health_pb2.HealthCheckResponse.SERVING]:
            answer = await health.Check(request, wait_for_ready=True)
            states.append(answer.status)
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    await until(looking.done)
    looking.result()
