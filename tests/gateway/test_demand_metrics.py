"""What Prometheus reads of a gateway is what GetMesh answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from maie.catalog.v1 import catalog_pb2 as catalog
from maie_client import Client
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus.subjects import LANES
from maie_runtime.worker.stage import StageContext
from tests.conftest import NatsServer, free_port
from tests.gateway.conftest import EmptyMesh
from tests.gateway.pages import Samples, page, samples
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

CHUNKS = 40


def demand(text: str) -> Samples:
    return samples(text, "maie_demand_units", "stage", "lane")


def slots(text: str) -> Samples:
    return samples(text, "maie_capacity_slots", "stage")


def demand_of(mesh: catalog.GetMeshResponse) -> Samples:
    return {
        (slug, each.lane): each.runnable_units
        for slug, stage in zip(BINDINGS, mesh.stages, strict=True)
        for each in stage.demand
    }


def slots_of(mesh: catalog.GetMeshResponse) -> Samples:
    return {
        (slug,): sum(worker.slots for worker in stage.workers)
        for slug, stage in zip(BINDINGS, mesh.stages, strict=True)
    }


async def recording() -> AsyncIterator[bytes]:
    yield b"not empty"


async def test_metrics_equal_get_mesh_while_a_long_job_waits_for_one_slot(
    empty_mesh: EmptyMesh,
) -> None:
    port, release = free_port(), asyncio.Event()

    async def wait(_: StageContext) -> None:
        await release.wait()

    # Its units would come and go between one reading and the other.
    empty_mesh.gateway_options["measure_quality"] = False
    preprocess = empty_mesh.stages["preprocess"]
    cut = preprocess.answer
    preprocess.answer = lambda request, context, _: cut(request, context, CHUNKS)
    empty_mesh.stages["asr"].hook = wait
    metrics = {"metrics_listen": f"127.0.0.1:{port}"}
    async with empty_mesh.running() as first:
        # A second gateway, which did not accept the job.
        other = EmptyMesh(nats=empty_mesh.nats, mesh=empty_mesh.mesh.model_copy(update=metrics))
        async with other.gateway() as address, Client(address) as second:
            await first.create_job(recording(), features=("raw_transcript",))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while demand(text := await page(port)).get(("asr", "batch")) != CHUNKS:
                    await asyncio.sleep(0.02)
            for client in (first, second):
                mesh = await client.get_mesh()
                assert demand(text) == demand_of(mesh)
                assert slots(text) == slots_of(mesh)
            assert slots(text) == {(slug,): 1 for slug in BINDINGS}
            assert sum(demand(text).values()) == CHUNKS
            assert 'service_name="maie-gateway"' in text
            assert "process_resident_memory_bytes" in text
            release.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while any(demand(await page(port)).values()):
                    await asyncio.sleep(0.02)


async def test_a_gateway_without_its_broker_reports_no_stale_demand(
    empty_mesh: EmptyMesh, nats_server: NatsServer
) -> None:
    port = free_port()
    metrics = {"metrics_listen": f"127.0.0.1:{port}"}
    empty_mesh.mesh = empty_mesh.mesh.model_copy(update=metrics)
    async with empty_mesh.gateway():
        zero = dict.fromkeys(((slug, lane) for slug in BINDINGS for lane in LANES), 0)
        assert demand(await page(port)) == zero
        assert slots(await page(port)) == {(slug,): 0 for slug in BINDINGS}
        await nats_server.stop(kill=True)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while demand(text := await page(port)):
                await asyncio.sleep(0.02)
        assert not slots(text)
        await nats_server.start()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while demand(await page(port)) != zero:
                await asyncio.sleep(0.02)


async def test_a_taken_address_is_named(empty_mesh: EmptyMesh, nats_server: NatsServer) -> None:
    metrics = {"metrics_listen": f"127.0.0.1:{nats_server.port}"}
    empty_mesh.mesh = empty_mesh.mesh.model_copy(update=metrics)
    with pytest.raises(RuntimeError, match=r"^MAIE_METRICS_LISTEN: 127.0.0.1:\d+ cannot be"):
        async with empty_mesh.gateway():
            pass


async def test_a_worker_serves_its_own_metrics(empty_mesh: EmptyMesh) -> None:
    port = free_port()
    metrics = {"metrics_listen": f"127.0.0.1:{port}"}
    empty_mesh.mesh = empty_mesh.mesh.model_copy(update=metrics)
    async with empty_mesh.service("asr"):
        text = await page(port)
    assert "process_resident_memory_bytes" in text
    assert not demand(text)
