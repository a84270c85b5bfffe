"""Each gateway says of all gateways that they are there, what they have, and what failed there."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.event.v1 import event_pb2 as event
from maie_client import Client, ClientError
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.recent_count import MOST, WINDOW_SECONDS, RecentCount
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_warnings_of_jobs import recording
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


async def mesh_when(client: Client, ready: object) -> catalog.GetMeshResponse:
    """What GetMesh answers once a condition holds."""
    assert callable(ready)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not ready(mesh := await client.get_mesh()):
            await asyncio.sleep(0.05)
    return mesh


def addresses(mesh: catalog.GetMeshResponse) -> set[str]:
    return {each.address for each in mesh.gateways}


async def test_every_gateway_knows_all_gateways_until_they_leave(empty_mesh: EmptyMesh) -> None:
    # Two in one process would have one name, so the other one is only its report.
    async with empty_mesh.gateway() as first, Client(first) as client:
        mesh = await mesh_when(client, lambda seen: seen.gateways)
        (only,) = mesh.gateways
        assert only.address == first
        assert only.memory.rss_bytes
        assert only.HasField("errors")
        assert only.errors == event.PartErrors()
        assert not any(stage.workers for stage in mesh.stages)
        other = event.WorkerInfo(instance="gateway-other-1", address="10.0.0.2:50051")
        await report(empty_mesh, other)
        mesh = await mesh_when(client, lambda seen: len(seen.gateways) == 2)
        assert addresses(mesh) == {first, other.address}
        assert not any(stage.workers for stage in mesh.stages)


async def report(mesh: EmptyMesh, info: event.WorkerInfo) -> None:
    """Reports as another gateway does."""
    async with open_provisioned_broker(mesh.nats.url, "other") as broker:
        await broker.workers.put(f"gateway.{info.instance}", info.SerializeToString())


async def test_what_fails_in_a_part_is_counted_there(empty_mesh: EmptyMesh) -> None:
    async def fail(_: StageContext) -> None:
        raise StageError(Code.DATA_LOSS, Reason.AUDIO_CORRUPT, "It is broken.")

    stage: EmptyStage = empty_mesh.stages["preprocess"]
    stage.hook = fail
    async with empty_mesh.running() as client:
        with pytest.raises(ClientError, match="There is no job"):
            await client.get_job("00000000-0000-7000-8000-000000000000")
        job = await client.create_job(recording(), features=("raw_transcript",))
        async for _ in client.watch_job(job.job_id):
            pass

        def failed(seen: catalog.GetMeshResponse) -> int:
            return sum(each.errors.units for each in seen.stages[0].workers)

        mesh = await mesh_when(client, failed)
        (worker,) = mesh.stages[0].workers
        assert worker.errors == event.PartErrors(units=1)
        # What a caller does wrong is no error of the gateway.
        (gateway,) = mesh.gateways
        assert gateway.errors == event.PartErrors()
        await empty_mesh.nats.stop(kill=True)
        with pytest.raises(ClientError):
            await client.get_mesh()
        await empty_mesh.nats.start()

        def seen_again(seen: catalog.GetMeshResponse) -> bool:
            return any(each.errors.calls and each.errors.broker for each in seen.gateways)

        await mesh_again(client, seen_again)


async def mesh_again(client: Client, ready: object) -> None:
    """As `mesh_when`, of a mesh whose broker comes back."""
    assert callable(ready)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                if ready(await client.get_mesh()):
                    return
            except ClientError as error:
                if error.code is not grpc.StatusCode.UNAVAILABLE:
                    raise
            await asyncio.sleep(0.05)


@pytest.mark.unit
def test_old_ones_and_too_many_do_not_count() -> None:
    now = 1000.0
    count = RecentCount(lambda: now)
    for _ in range(3):
        count.note()
    now += WINDOW_SECONDS - 1
    count.note()
    assert count.number == 4
    now += 2
    assert count.number == 1
    for _ in range(MOST + 5):
        count.note()
    assert count.number == MOST
