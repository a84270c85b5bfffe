"""A service whose engine needs a server takes work only while that is ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maie_core.settings import MeshSettings, ServiceSettings
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import declare_lanes
from maie_runtime.bus.task_puller import POLL_SECONDS, STORE_SECONDS
from maie_runtime.worker.server import serve_stage
from tests.conftest import NatsServer
from tests.empty_stages import EmptyStage, empty_stages
from tests.runtime.workers import BINDING, queue_is_empty, submit
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass(kw_only=True)
class NeedyStage(EmptyStage):
    """A stage whose server is as a test says."""

    changes: asyncio.Queue[bool] = field(default_factory=asyncio.Queue)
    followed: bool = False

    async def readiness(self) -> AsyncGenerator[bool, None]:
        """What the test says."""
        self.followed = True
        try:
            while True:
                yield await self.changes.get()
        finally:
            self.followed = False


async def test_health_and_units_follow_the_server(
    broker: Broker, nats_server: NatsServer, tmp_path: Path
) -> None:
    stage = NeedyStage(answer=empty_stages()["asr"].answer)
    await declare_lanes(broker, BINDING.slug, 15)
    mesh = MeshSettings(
        nats_url=nats_server.url,
        blob_url=(tmp_path / "blobs").as_uri(),
        health_file=tmp_path / "health",
        shutdown_grace_seconds=1,
    )
    async with (
        serve_stage(BINDING, ServiceSettings(mesh=mesh, slots=2), stage.opened) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        health: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=BINDING.service)
        watched = health.Watch(request)
        assert (await watched.read()).status == SERVING
        await submit(broker, "asr.0000")
        assert await queue_is_empty(broker)

        stage.changes.put_nowait(False)
        assert (await watched.read()).status == NOT_SERVING
        # A request for a task that is open already ends sooner.
        await asyncio.sleep(20 * STORE_SECONDS)
        await submit(broker, "asr.0001")
        # Meanwhile an idle slot looks at least once.
        await asyncio.sleep(2 * POLL_SECONDS)
        assert [unit for unit, _ in stage.runs] == ["asr.0000"]

        stage.changes.put_nowait(True)
        assert (await watched.read()).status == SERVING
        assert await queue_is_empty(broker)
        assert [unit for unit, _ in stage.runs] == ["asr.0000", "asr.0001"]

        stage.changes.put_nowait(False)
        assert (await watched.read()).status == NOT_SERVING
        watched.cancel()
    await until(lambda: not stage.followed, PATIENCE_SECONDS)


async def test_a_stage_whose_engine_needs_no_server_serves(
    broker: Broker, nats_server: NatsServer, stage: EmptyStage, tmp_path: Path
) -> None:
    await declare_lanes(broker, BINDING.slug, 15)
    mesh = MeshSettings(
        nats_url=nats_server.url,
        blob_url=(tmp_path / "blobs").as_uri(),
        shutdown_grace_seconds=1,
    )
    async with serve_stage(BINDING, ServiceSettings(mesh=mesh), stage.opened) as address:
        async with grpc.aio.insecure_channel(address) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest(service=BINDING.service)
            assert (await health.Check(request)).status == SERVING
        await submit(broker)
        assert await queue_is_empty(broker)
