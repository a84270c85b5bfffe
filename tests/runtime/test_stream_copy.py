"""A stream that is copied while it is written to, and made again somewhere else."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from pathlib import Path

import pytest

from maie_runtime.backup.order import LEFT_OUT, ORDER
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, open_broker
from maie_runtime.bus.provision import provision
from maie_runtime.bus.stream_copy import (
    LaterMessage,
    Snapshot,
    later_messages,
    restore_stream,
    snapshot_stream,
)
from maie_runtime.bus.streams import STREAMS
from tests.conftest import NatsServer, free_port

pytestmark = pytest.mark.mesh

JOBS = subjects.bucket_stream(subjects.JOBS)
IN_PLACE_OF_ALL = {"Nats-Rollup": "sub"}


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Broker]:
    """Another broker, with nothing in it."""
    server = NatsServer(port=free_port(), store=tmp_path / "elsewhere")
    await server.start()
    try:
        async with open_broker(server.url, "test") as opened:
            yield opened
    finally:
        await server.stop()


async def each_of(messages: Iterable[LaterMessage]) -> AsyncGenerator[LaterMessage, None]:
    for message in messages:
        yield message


async def later(broker: Broker, stream: str, snapshot: Snapshot) -> list[LaterMessage]:
    async with aclosing(later_messages(broker, stream, snapshot.last)) as messages:
        return [message async for message in messages]


async def entries(broker: Broker, stream: str) -> dict[int, tuple[str, bytes]]:
    """All messages of a stream, by their sequence."""
    async with aclosing(later_messages(broker, stream, 0)) as messages:
        return {each.sequence: (each.subject, each.data) async for each in messages}


def test_each_stream_of_a_mesh_is_in_a_backup_or_left_out_on_purpose() -> None:
    assert sorted((*ORDER, *LEFT_OUT)) == sorted(each.name or "" for each in STREAMS)


async def test_what_is_replaced_while_a_snapshot_is_taken_is_in_the_copy(
    broker: Broker, elsewhere: Broker
) -> None:
    content, jobs = secrets.token_bytes(20_000), 1500
    before = {key: (await broker.jobs.put(f"job-{key}", content)) for key in range(jobs)}
    written, done = dict(before), asyncio.Event()

    async def replace(first: int) -> None:
        key = first
        while not done.is_set():
            subject = subjects.bucket_subject(subjects.JOBS, f"job-{key % jobs}")
            stored = await broker.jetstream.publish(subject, content, headers=IN_PLACE_OF_ALL)
            written[key % jobs] = stored.seq
            key += 7

    writers = [asyncio.create_task(replace(first)) for first in range(7)]
    pieces: list[bytes] = []
    snapshot = await snapshot_stream(broker, JOBS, pieces.append)
    done.set()
    await asyncio.gather(*writers)
    since = await later(broker, JOBS, snapshot)
    assert since, "nothing was written meanwhile: the test shows nothing"
    await restore_stream(elsewhere, snapshot, "copy", pieces, each_of(since))
    there = await entries(elsewhere, JOBS)
    names = {subjects.bucket_subject(subjects.JOBS, f"job-{key}"): key for key in range(jobs)}
    assert {names[subject]: place for place, (subject, _) in there.items()} == written


@pytest.mark.parametrize("stream", [JOBS, subjects.NAMES, subjects.EVENTS])
async def test_later_messages_keep_their_places_and_gaps_stay_empty(
    stream: str, broker: Broker, elsewhere: Broker
) -> None:
    subject = {
        JOBS: subjects.bucket_subject(subjects.JOBS, "a"),
        subjects.NAMES: subjects.names("a"),
        subjects.EVENTS: subjects.event("asr", "a"),
    }[stream]
    for number in range(3):
        await broker.jetstream.publish(subject, f"{number}".encode())
    pieces: list[bytes] = []
    snapshot = await snapshot_stream(broker, stream, pieces.append)
    for number in range(3, 8):
        headers = {"Nats-Expected-Last-Subject-Sequence": f"{number}"}
        await broker.jetstream.publish(subject, f"{number}".encode(), headers=headers)
    if stream == JOBS:
        await broker.jetstream.publish(subject, b"8", headers=IN_PLACE_OF_ALL)
    else:
        for sequence in (5, 7):
            await broker.jetstream.delete_msg(stream, sequence)
    last = await restore_stream(
        elsewhere, snapshot, "copy", pieces, each_of(await later(broker, stream, snapshot))
    )
    assert last == (await broker.jetstream.stream_info(stream)).state.last_seq
    assert await entries(elsewhere, stream) == await entries(broker, stream)


async def test_a_queue_keeps_who_got_what(broker: Broker, elsewhere: Broker) -> None:
    await provision(broker)
    consumer = subjects.worker_consumer("asr")
    for unit in "abc":
        await broker.jetstream.publish(subjects.task("asr", "job", unit), unit.encode())
    pull = await broker.jetstream.pull_subscribe_bind(consumer, stream=subjects.TASKS)
    taken = await pull.fetch(2, timeout=5)
    await taken[0].ack_sync()
    pieces: list[bytes] = []
    snapshot = await snapshot_stream(broker, subjects.TASKS, pieces.append)
    await restore_stream(elsewhere, snapshot, "copy", pieces, each_of([]))
    await provision(elsewhere)
    assert await entries(elsewhere, subjects.TASKS) == await entries(broker, subjects.TASKS)
    there = await elsewhere.jetstream.consumer_info(subjects.TASKS, consumer)
    assert (there.num_ack_pending, there.num_pending) == (1, 1)
