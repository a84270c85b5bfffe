"""Workers get the keys of the jobs that their stage has work of, and forget them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.types import Msg
from maie_runtime.bus.worker_vault import WorkerVault
from maie_runtime.vault.boxes import Boxes
from maie_runtime.vault.vault import data_key_gone
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_residue import FEATURES
from tests.gateway.vault.conftest import recording
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


async def test_a_worker_waits_for_a_gateway_that_has_the_key(mesh: EmptyMesh) -> None:
    mesh.stages["preprocess"].hook = gate = Gate()
    async with AsyncExitStack() as stack:
        async with mesh.gateway() as address, Client(address) as client:
            made = await client.create_job(recording(), features=FEATURES)
        # Its task is in the queue, and nobody has its key.
        for slug in ("preprocess", "asr"):
            await stack.enter_async_context(mesh.service(slug))
        async with mesh.gateway() as address, Client(address) as client:
            gate.opened.set()
            done = [each async for each in client.watch_job(made.job_id)][-1].finished.job
            assert done.state == job.JOB_STATE_COMPLETE


async def ask(
    broker: Broker, stage: str, job_id: str, boxes: Boxes | None = None
) -> event.DataKeyResponse:
    """Asks for a key as a worker does."""
    request = event.DataKeyRequest(public_key=(boxes or Boxes()).public_key)
    answer = await broker.client.request(
        subjects.data_key(stage, job_id), request.SerializeToString(), timeout=PATIENCE_SECONDS
    )
    return event.DataKeyResponse.FromString(answer.data)


async def test_only_stages_with_work_of_a_job_get_its_key(
    mesh: EmptyMesh, bystander: Broker
) -> None:
    mesh.stages["asr"].hook = gate = Gate()
    async with mesh.running() as client:
        made = await client.create_job(recording(), features=FEATURES)
        await gate.reached.wait()
        assert (await ask(bystander, "asr", made.job_id)).sealed_key
        absent = "01900000-0000-7000-8000-000000000000"
        for stage, job_id in (
            ("preprocess", made.job_id),  # has done its part
            ("summary", made.job_id),  # has none
            ("nonsense", made.job_id),
            ("asr", absent),
        ):
            failure = (await ask(bystander, stage, job_id)).failure
            assert (failure.reason, failure.message) == (
                "DATA_KEY_GONE",
                data_key_gone(job_id).message,
            )
        gate.opened.set()
        assert [each async for each in client.watch_job(made.job_id)]
        assert (await ask(bystander, "asr", made.job_id)).failure.reason == "DATA_KEY_GONE"


async def test_a_key_is_sealed_to_who_asks(mesh: EmptyMesh, bystander: Broker) -> None:
    mesh.stages["preprocess"].hook = gate = Gate()
    async with mesh.running() as client:
        made = await client.create_job(recording(), features=FEATURES)
        await gate.reached.wait()
        own = Boxes()
        request = event.DataKeyRequest(public_key=own.public_key).SerializeToString()
        subject = subjects.data_key("preprocess", made.job_id)
        answer = await bystander.client.request(subject, request, timeout=PATIENCE_SECONDS)
        response = event.DataKeyResponse.FromString(answer.data)
        assert len(own.open(response.sealed_key, response.public_key)) == 32
        with pytest.raises(ValueError, match="does not open"):
            Boxes().open(response.sealed_key, response.public_key)
        for nonsense in (b"", b"\xff", event.DataKeyRequest(public_key=b"1").SerializeToString()):
            await bystander.client.publish(subject, nonsense, reply="nowhere")
        # The gateway is well.
        assert (await ask(bystander, "preprocess", made.job_id)).sealed_key
        await client.cancel_job(made.job_id)


async def test_other_jobs_that_the_stage_has_work_of_come_along(
    mesh: EmptyMesh, bystander: Broker
) -> None:
    mesh.stages["asr"].hook = gate = Gate()
    async with mesh.running() as client:
        done = await client.create_job(recording(), features=FEATURES)
        await gate.reached.wait()
        gate.opened.set()
        assert [each async for each in client.watch_job(done.job_id)]
        gate.opened.clear()
        waiting = {
            (await client.create_job(recording(), features=FEATURES)).job_id for _ in range(3)
        }
        asked = sorted(waiting)[0]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while {asked, *await others(bystander, "asr", asked)} != waiting:
                await asyncio.sleep(0.05)
        # Of a stage without work of the job, nothing comes.
        assert not (await ask(bystander, "summary", asked)).sealed_others
        keys = await others(bystander, "asr", asked)
        assert len({*keys.values()}) == len(keys) == 2
        for job_id, key in keys.items():
            assert (await others(bystander, "asr", asked))[job_id] == key
            own = Boxes()
            alone = await ask(bystander, "asr", job_id, own)
            assert own.open(alone.sealed_key, alone.public_key) == key
        gate.opened.set()
        for job_id in waiting:
            assert [each async for each in client.watch_job(job_id)]


async def others(broker: Broker, stage: str, job_id: str) -> dict[str, bytes]:
    """The keys of other jobs that come with one, by job."""
    own = Boxes()
    response = await ask(broker, stage, job_id, own)
    if not response.sealed_others:
        return {}
    keys = event.DataKeys.FromString(own.open(response.sealed_others, response.public_key)).keys
    return {each.job_id: each.key for each in keys}


async def test_a_stage_with_many_jobs_to_do_asks_seldom(mesh: EmptyMesh, bystander: Broker) -> None:
    requests = 0

    async def count(_: Msg) -> None:
        nonlocal requests
        requests += 1

    # No worker takes any of them until all are there.
    jobs = 20
    mesh.gateway_options["max_running_jobs_per_tenant"] = jobs
    async with mesh.gateway() as address, Client(address) as client:
        made = [await client.create_job(recording(), features=FEATURES) for _ in range(jobs)]
        await bystander.client.subscribe(subjects.data_key("preprocess", "*"), cb=count)
        await bystander.client.flush()
        async with mesh.service("preprocess"), mesh.service("asr"):
            for each in made:
                last = [event async for event in client.watch_job(each.job_id)][-1]
                assert last.finished.job.state == job.JOB_STATE_COMPLETE
        await bystander.client.flush()
        assert requests < jobs / 4


async def test_the_next_keys_come_while_a_unit_runs(mesh: EmptyMesh, bystander: Broker) -> None:
    async with mesh.gateway() as address, Client(address) as client:
        first, second = [
            (await client.create_job(recording(), features=FEATURES)).job_id for _ in range(2)
        ]
        vault = WorkerVault("preprocess")
        vault.connect(bystander.client)
        await vault.opening_key(first)
        assert await vault.key(second) is not None
        third = (await client.create_job(recording(), features=FEATURES)).job_id
        assert await vault.key(third) is None
        # It is the last that came in advance.
        await vault.opening_key(second)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await vault.key(third) is None:
                await asyncio.sleep(0.02)
        await vault.stop()


async def test_a_worker_forgets_a_key_that_it_does_not_use(
    mesh: EmptyMesh, bystander: Broker
) -> None:
    async with mesh.gateway() as address, Client(address) as client:
        made, other = [
            (await client.create_job(recording(), features=FEATURES)).job_id for _ in range(2)
        ]
        vault = WorkerVault("preprocess", remembered_seconds=0.2)
        vault.connect(bystander.client)
        with vault.holding(made):
            key = await vault.opening_key(made)
            assert await vault.key(other) is not None
            await forgotten(vault, other)
            # It is worked on.
            assert await vault.key(made) == key
        await forgotten(vault, made)


async def forgotten(vault: WorkerVault, job_id: str) -> None:
    """Waits until a worker has no key of the job."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await vault.key(job_id) is not None:
            await asyncio.sleep(0.02)
