"""What is no message of the contract, in every place that a gateway or a worker reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.js.errors import NotFoundError

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_client import Client, ClientError
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.streams import STREAMS
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
JOB = "01900000-0000-7000-8000-000000000000"
# Bytes that parse as nothing, as an empty message, and as the record of another job.
GARBAGE = (
    b"\xff\xff no protobuf",
    b"",
    record.JobRecord(job_id="another", state=job.JOB_STATE_PENDING).SerializeToString(),
)
UNFINISHED = record.JobRecord(job_id=JOB, state=job.JOB_STATE_PROCESSING_ASR, tenant="default")


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def complete(client: Client) -> str:
    """Has a job done, and gives its id."""
    events = [event async for event in client.process(recording(), features=RAW)]
    done = events[-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE
    return done.job_id


async def letters(broker: Broker, kind: str, count: int) -> list[event.DeadLetter]:
    """The dead letters of a kind, once there are so many."""
    subject = subjects.dead_letter(kind, "*")
    found: list[event.DeadLetter] = []

    async def look() -> int:
        told = await broker.jetstream.stream_info(subjects.DEAD_LETTERS, subjects_filter=subject)
        return sum((told.state.subjects or {}).values())

    while await look() < count:
        await asyncio.sleep(0.02)
    sequence = 1
    while len(found) < count:
        stored = await broker.jetstream.get_msg(
            subjects.DEAD_LETTERS, seq=sequence, subject=subject, next=True
        )
        found.append(event.DeadLetter.FromString(stored.data or b""))
        sequence = (stored.seq or 0) + 1
    return found


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_a_garbage_record_keeps_no_gateway_from_starting(
    empty_mesh: EmptyMesh, broker: Broker, garbage: bytes
) -> None:
    await broker.jobs.put(JOB, garbage)
    await broker.jobs.put("not.an/id=", garbage)
    async with empty_mesh.running() as client:
        done = await complete(client)
        assert [each.job_id async for each in client.list_jobs()] == [done]
        with pytest.raises(ClientError) as caught:
            await client.get_job(JOB)
        assert caught.value.reason == "RECORD_CORRUPT"
        found = await letters(broker, "record", 2)
        assert {letter.failure.reason for letter in found} == {"UNREADABLE"}
        assert {letter.task.job_id for letter in found} == {JOB, "not.an/id="}


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_a_record_that_turns_to_garbage_frees_its_place(
    empty_mesh: EmptyMesh, broker: Broker, garbage: bytes
) -> None:
    empty_mesh.gateway_options["max_active_jobs"] = 1
    await broker.jobs.put(JOB, UNFINISHED.SerializeToString())
    async with empty_mesh.running() as client:
        with pytest.raises(ClientError, match="unfinished"):
            await complete(client)
        await broker.jobs.put(JOB, garbage)
        await letters(broker, "record", 1)
        await complete(client)


@pytest.mark.parametrize("garbage", [*GARBAGE, event.StageTask(job_id=JOB).SerializeToString()])
async def test_a_garbage_task_is_given_up_at_once(
    empty_mesh: EmptyMesh, broker: Broker, garbage: bytes
) -> None:
    async with empty_mesh.running() as client:
        for slug in empty_mesh.stages:
            await broker.jetstream.publish(subjects.task(slug, JOB, f"{slug}.0007"), garbage)
        for slug in empty_mesh.stages:
            (letter,) = await letters(broker, slug, 1)
            assert (letter.task.job_id, letter.task.unit) == (JOB, f"{slug}.0007")
        await complete(client)
        assert not (await broker.jetstream.stream_info(subjects.TASKS)).state.messages


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_events_and_deliveries_are_passed_over(
    empty_mesh: EmptyMesh, broker: Broker, garbage: bytes
) -> None:
    async with empty_mesh.running() as client:
        await broker.jetstream.publish(subjects.event("asr", JOB), garbage)
        await broker.jetstream.publish(subjects.webhook(JOB, "0"), garbage)
        await letters(broker, "event", 1)
        await letters(broker, "webhook", 1)
        await complete(client)
        assert not (await broker.jetstream.stream_info(subjects.WEBHOOKS)).state.messages
        waiting = await broker.jetstream.consumer_info(subjects.EVENTS, subjects.CONDUCTOR)
        assert not waiting.num_ack_pending


async def test_a_garbage_worker_is_no_worker(empty_mesh: EmptyMesh, broker: Broker) -> None:
    await broker.workers.put("asr.garbage", GARBAGE[0])
    async with empty_mesh.running() as client:
        await complete(client)


TASKS, *OTHERS = [stream.name for stream in STREAMS]


@pytest.mark.parametrize(
    "name", [TASKS, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
)
async def test_a_deleted_stream_comes_back(
    empty_mesh: EmptyMesh, broker: Broker, name: str
) -> None:
    async with empty_mesh.running() as client:
        await complete(client)
        await broker.jetstream.delete_stream(name)

        async def is_there() -> bool:
            try:
                await broker.jetstream.stream_info(name)
            except NotFoundError:
                return False
            return True

        while not await is_there():
            await asyncio.sleep(0.02)
        await complete(client)
