"""Gateways provision the broker; workers wait for it, and create nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from nats.js.api import RetentionPolicy, StorageType
from nats.js.errors import NotFoundError
from structlog.testing import capture_logs

from maie_core.errors import StageError
from maie_core.settings import GpuServiceSettings, MeshSettings, ServiceSettings
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, open_broker
from maie_runtime.bus.provision import Wanted, is_provisioned, open_provisioned_broker, provision
from maie_runtime.bus.streams import STREAMS, Lifetimes
from maie_runtime.worker.server import serve_stage
from tests.conftest import NatsServer
from tests.empty_stages import EmptyStage
from tests.runtime.workers import BINDING
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

ONLY_LOOK = Wanted(update=False)


async def config_of(broker: Broker, name: str) -> object:
    """A stream's configuration."""
    return (await broker.jetstream.stream_info(name)).config


async def test_what_is_provisioned_stays_as_it_is(broker: Broker) -> None:
    names = [stream.name or "" for stream in STREAMS]
    before = [await config_of(broker, name) for name in names]
    assert await is_provisioned(broker)
    with capture_logs() as logs:
        await provision(broker)
        await provision(broker, ONLY_LOOK)
    assert [await config_of(broker, name) for name in names] == before
    assert logs == []


async def test_a_stream_that_differs_is_named_and_left(broker: Broker) -> None:
    stream = subjects.RETURNS
    there = (await broker.jetstream.stream_info(stream)).config
    await broker.jetstream.update_stream(there.evolve(allow_direct=False, max_msgs_per_subject=7))
    assert not await is_provisioned(broker)
    with pytest.raises(StageError) as refused:
        await provision(broker, ONLY_LOOK)
    assert refused.value.reason == "STREAM_DIFFERS"
    for difference in ("max_msgs_per_subject is 7, not 1", "allow_direct is False, not True"):
        assert f"{stream}: {difference}" in refused.value.message
    assert (await broker.jetstream.stream_info(stream)).config.max_msgs_per_subject == 7
    await provision(broker)
    assert await is_provisioned(broker)


async def test_a_stream_that_cannot_be_changed_stops_a_gateway(nats_server: NatsServer) -> None:
    async with open_broker(nats_server.url, "somebody else") as broker:
        (tasks,) = [stream for stream in STREAMS if stream.name == subjects.TASKS]
        wrong = tasks.evolve(retention=RetentionPolicy.LIMITS, storage=StorageType.MEMORY)
        await broker.jetstream.add_stream(wrong)
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(StageError, match="storage is memory, not file") as refused:
            async with open_provisioned_broker(nats_server.url, "gateway"):
                pass
    assert refused.value.reason == "STREAM_DIFFERS"
    assert "retention is limits, not workqueue" in refused.value.message


async def test_what_is_the_operators_is_left_alone(broker: Broker) -> None:
    there = (await broker.jetstream.stream_info(subjects.EVENTS)).config
    await broker.jetstream.update_stream(there.evolve(max_bytes=1_000_000, metadata={"a": "b"}))
    lifetimes = replace(Lifetimes(), events=3600.0)
    await provision(broker, Wanted(lifetimes=lifetimes))
    changed = (await broker.jetstream.stream_info(subjects.EVENTS)).config
    assert (changed.max_bytes, changed.max_age) == (1_000_000, 3600.0)
    assert (changed.metadata or {})["a"] == "b"


async def test_a_worker_waits_for_its_streams_and_creates_none(
    nats_server: NatsServer, stage: EmptyStage, tmp_path: object
) -> None:
    mesh = MeshSettings(nats_url=nats_server.url, blob_url=f"file://{tmp_path}/blobs")
    serving = asyncio.Event()

    async def serve() -> None:
        async with serve_stage(BINDING, ServiceSettings(mesh=mesh), stage.opened):
            serving.set()
            await asyncio.Future()

    with capture_logs() as logs:
        service = asyncio.create_task(serve())
        await until(
            lambda: [line for line in logs if line["event"] == "worker.waiting_for_streams"]
        )
        async with open_broker(nats_server.url, "test") as broker:
            for stream in STREAMS:
                with pytest.raises(NotFoundError):
                    await broker.jetstream.stream_info(stream.name or "")
            assert not serving.is_set()
            await provision(broker)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await serving.wait()
        service.cancel()
        await asyncio.wait({service})
    (line, *_) = [line for line in logs if line["event"] == "worker.waiting_for_streams"]
    assert line["servers"] == [nats_server.url.removeprefix("nats://")]
    assert subjects.TASKS in line["problem"]


async def test_a_worker_that_shares_a_gpu_waits_for_the_bucket_of_gpus(
    nats_server: NatsServer, stage: EmptyStage, tmp_path: object
) -> None:
    mesh = MeshSettings(nats_url=nats_server.url, blob_url=f"file://{tmp_path}/blobs")
    settings = GpuServiceSettings(mesh=mesh, residency="shared-gpu", gpu="here/0")
    serving = asyncio.Event()

    async def serve() -> None:
        async with serve_stage(BINDING, settings, stage.opened):
            serving.set()
            await asyncio.Future()

    bucket = subjects.bucket_stream(subjects.GPUS)
    async with open_broker(nats_server.url, "test") as broker:
        # A gateway creates streams one after another, and this one last.
        await provision(broker)
        await broker.jetstream.delete_stream(bucket)
        with capture_logs() as logs:
            service = asyncio.create_task(serve())
            (line, *_) = await until(
                lambda: [line for line in logs if line["event"] == "worker.waiting_for_streams"]
            )
            assert bucket in line["problem"]
            assert not serving.is_set()
            await provision(broker)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await serving.wait()
            service.cancel()
            await asyncio.wait({service})
