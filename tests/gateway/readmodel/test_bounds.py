"""What is too much to ask for is refused at once, and what takes too long ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from sqlalchemy import text

from maie.job.v1 import job_pb2 as job
from maie_core.errors import StageError
from maie_gateway.readmodel import ReadModel, open_read_model, reads
from maie_gateway.readmodel.database import Database
from maie_gateway.readmodel.reads import READ_THREADS, Deadline, Reads
from maie_gateway.readmodel.tokens import page_token
from tests.gateway.conftest import EmptyMesh
from tests.gateway.readmodel.records import TENANT, job_record, put, show
from tests.waiting import PATIENCE_SECONDS

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
MANY_LABELS = {f"k{number}": "v" for number in range(33)}
COMPLETE = [job.JOB_STATE_COMPLETE]
# A state that this release does not have, on the wire.
STATE_99 = bytes([job.ListJobsRequest.STATES_FIELD_NUMBER << 3, 99])
TOO_MUCH = [
    (job.ListJobsRequest(labels=MANY_LABELS), "LABELS_INVALID"),
    (job.ListJobsRequest(labels={"k" * 64: "v"}), "LABELS_INVALID"),
    (job.ListJobsRequest(labels={"k": "v" * 257}), "LABELS_INVALID"),
    (job.ListJobsRequest(states=COMPLETE * 10_000), "FIELD_INVALID"),
    (job.ListJobsRequest.FromString(STATE_99), "FIELD_INVALID"),
    (job.ListJobsRequest(page_token="x" * 10_000), "PAGE_TOKEN_INVALID"),
    (job.ListJobsRequest(page_token="forged"), "PAGE_TOKEN_INVALID"),
    (job.ListJobsRequest(page_size=-1), "PAGE_SIZE_INVALID"),
    (job.SearchJobsRequest(query="word " * 100), "QUERY_INVALID"),
    (job.SearchJobsRequest(query="word", page_token="forged"), "PAGE_TOKEN_INVALID"),
]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
async def running(request: pytest.FixtureRequest) -> AsyncIterator[Reads]:
    # Its threads end before the database is closed.
    if "database" in request.fixturenames:
        request.getfixturevalue("database")
    with ThreadPoolExecutor(READ_THREADS) as threads:
        yield Reads(threads)


@pytest.mark.unit
@pytest.mark.parametrize(("request_", "reason"), TOO_MUCH)
async def test_too_much_is_refused_without_the_database(
    model: ReadModel, request_: job.ListJobsRequest | job.SearchJobsRequest, reason: str
) -> None:
    with pytest.raises(StageError) as refused:
        if isinstance(request_, job.ListJobsRequest):
            model.check_list(TENANT, request_)
        else:
            model.check_search(TENANT, request_)
    assert (refused.value.code.name, refused.value.reason) == ("INVALID_ARGUMENT", reason)


@pytest.mark.unit
async def test_as_many_labels_as_a_job_has_and_all_states_are_answered(model: ReadModel) -> None:
    labels = {f"k{number}": "v" * 256 for number in range(32)}
    await put(model, job_record(1, labels=labels), job_record(2, labels={"k0": "v"}))
    states = [name for name, state in job.JobState.items() if state]
    page = await model.list_page(TENANT, job.ListJobsRequest(labels=labels, states=states))
    assert len(page.jobs) == 1


@pytest.mark.unit
async def test_a_token_of_ones_own_making_reaches_no_further(model: ReadModel) -> None:
    await put(model, *(job_record(number) for number in range(3)))
    request = job.ListJobsRequest()
    for key in [(2**63, "x"), (1, "x\0"), (True, "x"), (1.5, "x"), (1,), (1, "x", 2), ("x", 1)]:
        request.page_token = page_token(key, TENANT, request)
        with pytest.raises(StageError) as refused:
            await model.list_page(TENANT, request)
        assert refused.value.reason == "PAGE_TOKEN_INVALID"


def endless(database: Database, deadline: Deadline) -> None:
    """A read that only its deadline ends."""
    with database.reading(deadline) as connection:
        connection.execute(text(ENDLESS)).all()


@pytest.mark.unit
async def test_a_query_that_takes_too_long_is_ended_and_the_next_is_not(
    database: Database, running: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    await check_slow(database, running, monkeypatch)


@pytest.mark.unit
async def test_so_is_one_of_a_database_in_memory(
    running: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database("sqlite://")
    await check_slow(database, running, monkeypatch)
    database.close()


async def check_slow(database: Database, running: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends a slow query, and then answers a quick one over the same connections."""
    monkeypatch.setattr(reads, "READ_SECONDS", 0.2)
    with pytest.raises(StageError) as slow:
        await running.run(TENANT, lambda deadline: endless(database, deadline))
    assert (slow.value.code.name, slow.value.reason) == ("DEADLINE_EXCEEDED", "QUERY_TOO_SLOW")
    monkeypatch.undo()

    def quick(deadline: Deadline) -> int:
        with database.reading(deadline) as connection:
            return int(connection.execute(text("SELECT 7")).scalar_one())

    assert await running.run(TENANT, quick) == 7


@pytest.mark.unit
async def test_slow_reads_of_one_tenant_keep_neither_others_nor_writes_waiting(
    model: ReadModel, database: Database, running: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "READ_SECONDS", 10 * PATIENCE_SECONDS)
    slow = [
        asyncio.create_task(running.run("slow", lambda deadline: endless(database, deadline)))
        for _ in range(10)
    ]
    await asyncio.sleep(0.2)

    def quick(deadline: Deadline) -> int:
        with database.reading(deadline) as connection:
            return int(connection.execute(text("SELECT 7")).scalar_one())

    assert await running.run("other", quick) == 7
    assert await show(model, job_record(1), 1)
    assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    # The threads are free at once: nobody waits for these reads any more.
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await running.run("slow", quick) == 7


@pytest.mark.unit
async def test_a_tenant_with_too_many_waiting_reads_is_told_to_come_again(
    database: Database, running: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "WAITING_READS", 3)
    slow = [
        asyncio.create_task(running.run("slow", lambda deadline: endless(database, deadline)))
        for _ in range(5)
    ]
    await asyncio.sleep(0.1)
    with pytest.raises(StageError) as refused:
        await running.run("slow", lambda _: None)
    assert (refused.value.code.name, refused.value.reason) == (
        "RESOURCE_EXHAUSTED",
        "TOO_MANY_READS",
    )
    assert refused.value.retry_after is not None
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


@pytest.mark.unit
async def test_a_database_in_memory_is_one_for_all_threads_and_each_model_has_its_own() -> None:
    async with open_read_model("sqlite://") as one, open_read_model("sqlite://") as other:
        await show(one, job_record(1), 1)
        pages = await asyncio.gather(
            *(one.list_page(TENANT, job.ListJobsRequest()) for _ in range(8))
        )
        assert [len(page.jobs) for page in pages] == [1] * 8
        assert await other.count() == 0


@pytest.mark.mesh
@pytest.mark.parametrize(
    ("method", "message", "reason"),
    [
        (
            "ListJobs",
            job.ListJobsRequest(labels={f"k{i}": "v" for i in range(100_000)}),
            "REQUEST_TOO_LARGE",
        ),
        ("ListJobs", job.ListJobsRequest(labels=MANY_LABELS), "LABELS_INVALID"),
        (
            "ListJobs",
            job.ListJobsRequest(states=[job.JOB_STATE_COMPLETE] * 10_000),
            "FIELD_INVALID",
        ),
        ("SearchJobs", job.SearchJobsRequest(query="word " * 200_000), "QUERY_INVALID"),
        ("SearchJobs", job.SearchJobsRequest(query="w" * 2_000_000), "REQUEST_TOO_LARGE"),
    ],
)
async def test_a_gateway_refuses_what_is_too_much(
    empty_mesh: EmptyMesh, method: str, message: job.ListJobsRequest, reason: str
) -> None:
    async with empty_mesh.gateway() as address, grpc.aio.insecure_channel(address) as channel:
        call: Any = channel.unary_unary(f"/maie.job.v1.JobService/{method}")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(message.SerializeToString())
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert reason in str(refused.value.trailing_metadata())
