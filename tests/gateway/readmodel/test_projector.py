"""The read model follows the records in a real JetStream."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.readmodel import Projector, ReadModel, open_read_model
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.store import JobStore
from maie_gateway.views.results import Results
from maie_gateway.views.stored_results import StoredResults
from maie_runtime.blobs import Blobs
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from tests.conftest import NatsServer
from tests.gateway.readmodel.records import TENANT, job_id, job_record, show
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


@dataclass(kw_only=True)
class Truth:
    """A broker and a blob store, and the jobs in them."""

    broker: Broker
    store: JobStore
    blobs: Blobs

    async def write(self, made: record.JobRecord) -> None:
        """Stores a record, whatever was there."""
        await self.broker.jobs.put(made.job_id, made.SerializeToString())

    async def finished(self, number: int, text: str) -> record.JobRecord:
        """Stores a finished job with one segment of text."""
        made = job_record(number)
        made.config.features.append(job.FEATURE_RAW_TRANSCRIPT)
        made.facts.chunk_count = 1
        plan = await self.blobs.put_message("plans", common.Segment())
        segment = common.Segment(segment_id="c0000-s0000", text=text)
        transcript = common.Transcript(segments=[segment], language_code="en")
        output = await self.blobs.put_message("outputs", transcript)
        for unit, stage, blob in (
            ("preprocess", common.STAGE_PREPROCESS, plan),
            ("asr.0000", common.STAGE_ASR, output),
        ):
            made.units.add(unit=unit, stage=stage, state=job.UNIT_STATE_COMPLETED, output=blob)
        await self.write(made)
        return made

    @asynccontextmanager
    async def gateway(self, url: str) -> AsyncIterator[tuple[ReadModel, Projector]]:
        """What a gateway runs to answer lists and search."""
        async with AsyncExitStack() as stack:
            model = await stack.enter_async_context(open_read_model(url))
            projector = Projector(model, self.store, Results(StoredResults(self.blobs)))
            changes = JobChanges(self.broker, [projector])
            await stack.enter_async_context(changes.follow())
            await stack.enter_async_context(projector.running())
            yield model, projector


@pytest.fixture
async def truth(nats_server: NatsServer, blobs: Blobs) -> AsyncIterator[Truth]:
    async with open_provisioned_broker(nats_server.url, "test") as broker:
        yield Truth(broker=broker, store=JobStore(broker), blobs=blobs)


async def shown(model: ReadModel) -> list[str]:
    page = await model.list_page(TENANT, job.ListJobsRequest())
    return [seen.job_id for seen in page.jobs]


async def found(model: ReadModel, query: str) -> list[str]:
    page = await model.search(TENANT, job.SearchJobsRequest(query=query))
    return [hit.job.job_id for hit in page.hits]


async def until_found(model: ReadModel, query: str, expected: list[str]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await found(model, query) != expected:
            await asyncio.sleep(0.02)


async def until_shown(model: ReadModel, expected: list[str]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await shown(model) != expected:
            await asyncio.sleep(0.02)


async def test_what_happens_to_a_job_is_shown_and_its_text_found(
    truth: Truth, database_url: str, model: ReadModel
) -> None:
    async with truth.gateway(database_url) as (served, projector):
        await truth.write(job_record(1, state=job.JOB_STATE_PENDING))
        await until_shown(served, [job_id(1)])
        await truth.finished(1, "the blue bug")
        await until_found(served, "blue", [job_id(1)])
        await projector.settled()
        (seen,) = (await served.list_page(TENANT, job.ListJobsRequest())).jobs
        assert seen.state == job.JOB_STATE_COMPLETE
        await truth.broker.jobs.delete(job_id(1))
        await until_shown(served, [])
        assert await found(served, "blue") == []


async def test_a_gateway_that_was_away_is_right_again(
    truth: Truth, database_url: str, model: ReadModel
) -> None:
    await truth.finished(1, "first")
    await truth.finished(2, "second")
    async with truth.gateway(database_url) as (served, _):
        await until_found(served, "first", [job_id(1)])
        await until_found(served, "second", [job_id(2)])
    await truth.broker.jobs.delete(job_id(1))
    await truth.finished(2, "changed")
    await truth.finished(3, "third")
    async with truth.gateway(database_url) as (served, projector):
        await projector.settled()
        assert await shown(served) == [job_id(3), job_id(2)]
        await until_found(served, "third", [job_id(3)])
        await until_found(served, "changed", [job_id(2)])
        assert await found(served, "first") == []
        assert await found(served, "second") == []


async def test_a_job_whose_trace_is_gone_altogether_is_forgotten_too(
    truth: Truth, database_url: str, model: ReadModel
) -> None:
    await truth.write(job_record(1))
    async with truth.gateway(database_url) as (served, _):
        await until_shown(served, [job_id(1)])
    await truth.broker.jetstream.purge_stream("KV_maie_jobs")
    async with truth.gateway(database_url) as (served, projector):
        await projector.settled()
        assert await shown(served) == []


async def test_a_damaged_transcript_costs_the_search_for_its_job_only(
    truth: Truth, database_url: str, model: ReadModel
) -> None:
    broken = await truth.finished(1, "blue")
    await truth.blobs.delete(broken.units[1].output.key)
    await truth.finished(2, "blue again")
    async with truth.gateway(database_url) as (served, _):
        await until_found(served, "blue", [job_id(2)])
        await until_shown(served, [job_id(2), job_id(1)])


async def test_many_jobs_of_before_are_all_caught_up_with(
    truth: Truth, database_url: str, model: ReadModel
) -> None:
    numbers = range(250)
    await asyncio.gather(*(truth.write(job_record(number)) for number in numbers))
    async with truth.gateway(database_url) as (served, projector):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await served.count() < len(numbers):
                await projector.settled()


async def test_the_command_rebuilds_from_the_truth(
    truth: Truth, nats_server: NatsServer, database_url: str, model: ReadModel, tmp_path: object
) -> None:
    for number in range(3):
        await truth.finished(number, f"budget {number}")
    await show(model, job_record(77), 1)  # there is no such job
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_gateway.readmodel"),
        env={
            "MAIE_NATS_URL": nats_server.url,
            "MAIE_BLOB_URL": f"file://{tmp_path}/blobs",
            "MAIE_GATEWAY_READ_MODEL_URL": database_url,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await command.communicate()
    assert command.returncode == 0, err.decode()
    assert out.decode().startswith("3 jobs and the text of 3 in ")
    assert "jobs: 3 of 3" in err.decode()
    assert await shown(model) == [job_id(2), job_id(1), job_id(0)]
    assert sorted(await found(model, "budget")) == [job_id(number) for number in range(3)]


async def test_a_read_model_in_memory_is_not_rebuilt_by_a_command() -> None:
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_gateway.readmodel"),
        env={},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await command.communicate()
    assert command.returncode == 1
    assert b"restarting its gateway" in err
