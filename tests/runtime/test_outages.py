"""A request rides out a broker that answers nobody, and is not made twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from maie_runtime.bus import outages, subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.outages import ride_out, until_connected
from maie_runtime.bus.provision import open_provisioned_broker
from tests.conftest import NatsServer
from tests.nats_cluster import NatsCluster, leader_of
from tests.waiting import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.mesh,
    # nats-py drops what it opened to a server that accepts and says nothing; it is closed then.
    pytest.mark.filterwarnings("ignore:unclosed <StreamWriter:ResourceWarning"),
]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine an election, or a start, may take longer than anybody would wait."""
    monkeypatch.setattr(outages, "RIDE_OUT_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[NatsCluster]:
    """Three servers that are open to all."""
    made = NatsCluster(tmp_path)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


async def test_a_write_waits_for_the_next_leader_and_is_made_once(cluster: NatsCluster) -> None:
    stream = subjects.bucket_stream(subjects.JOBS)
    async with cluster.provisioned() as broker:
        leader = await leader_of(broker, stream, copies=2)
        await cluster.servers[leader].stop(kill=True)
        await ride_out(broker, lambda: broker.jobs.put("a", b"1"))
        assert await leader_of(broker, stream) != leader
        assert (await ride_out(broker, lambda: broker.jobs.get("a"))).value == b"1"


async def test_a_request_waits_for_a_server_that_starts_again(nats_server: NatsServer) -> None:
    async with open_provisioned_broker(nats_server.url, "test") as broker:
        await nats_server.stop(kill=True)
        writing = asyncio.create_task(ride_out(broker, lambda: broker.jobs.put("a", b"1")))
        waiting = asyncio.create_task(until_connected(broker))
        await asyncio.sleep(0.5)
        assert not writing.done()
        await nats_server.start()
        await writing
        assert await waiting
        assert (await broker.jobs.get("a")).value == b"1"


async def test_what_is_refused_is_not_tried_again(broker: Broker) -> None:
    tries = 0

    async def create() -> int:
        nonlocal tries
        tries += 1
        return await broker.jobs.create("a", b"1")

    await ride_out(broker, create)
    with pytest.raises(KeyWrongLastSequenceError):
        await ride_out(broker, create)
    with pytest.raises(KeyNotFoundError):
        await ride_out(broker, lambda: broker.jobs.get("b"))
    assert tries == 2


async def test_it_gives_up(nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "RIDE_OUT_SECONDS", 0.5)
    async with open_provisioned_broker(nats_server.url, "test") as broker:
        await nats_server.stop(kill=True)
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises((NatsError, OSError)):
                await ride_out(broker, lambda: broker.jobs.get("a"))
            assert not await until_connected(broker)


async def test_a_cancelled_call_waits_no_longer(nats_server: NatsServer) -> None:
    tries = 0
    async with open_provisioned_broker(nats_server.url, "test") as broker:
        await nats_server.stop(kill=True)

        async def read() -> object:
            nonlocal tries
            tries += 1
            return await broker.jobs.get("a")

        reading = asyncio.create_task(ride_out(broker, read))
        while not tries:
            await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        before = tries
        await nats_server.start()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not broker.connected:
                await asyncio.sleep(0.05)
        assert tries == before


async def test_another_server_is_asked_where_one_answers_nothing(
    cluster: NatsCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "MOVE_SECONDS", 0.5)
    async with cluster.provisioned() as broker:
        asked = 0

        async def of_another() -> str:
            """Counts as unanswered while it is the first server that is asked."""
            nonlocal asked
            asked += 1
            if broker.connections == 0:
                raise TimeoutError
            return "answered"

        assert await ride_out(broker, of_another) == "answered"
        assert broker.connections >= 1
        assert asked > 1
