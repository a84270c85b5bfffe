"""A request rides out a broker that answers nobody, and is not made twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError

from maie_runtime.bus import outages, subjects
from maie_runtime.bus.broker import Broker, open_broker
from maie_runtime.bus.outages import ResilientClient
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


@asynccontextmanager
async def resilient(url: str) -> AsyncIterator[Broker]:
    """A connection that rides out outages, as a gateway has it."""
    async with open_broker(url, "test", rides_out=True) as broker:
        yield broker


async def test_a_write_waits_for_the_next_leader_and_is_made_once(cluster: NatsCluster) -> None:
    stream = subjects.bucket_stream(subjects.JOBS)
    async with cluster.provisioned() as watching, resilient(cluster.url) as broker:
        leader = await leader_of(watching, stream, copies=2)
        await cluster.servers[leader].stop(kill=True)
        await broker.jobs.put("a", b"1")
        assert await leader_of(watching, stream) != leader
        assert (await broker.jobs.get("a")).value == b"1"
        # It makes a consumer by itself, for which it waits no longer than usual.
        history = await broker.client.ride_out(lambda: broker.jobs.history("a"))
        assert len(history) == 1


async def test_a_request_waits_for_a_server_that_starts_again(
    nats_server: NatsServer, broker: Broker
) -> None:
    async with resilient(nats_server.url) as patient:
        await nats_server.stop(kill=True)
        writing = asyncio.create_task(patient.jobs.put("a", b"1"))
        waiting = asyncio.create_task(patient.until_connected())
        await asyncio.sleep(0.5)
        assert not writing.done()
        await nats_server.start()
        await writing
        assert await waiting
        assert (await patient.jobs.get("a")).value == b"1"


class Answers:
    """What a client is answered: the answers to its first requests about a subject are lost.

    Args:
        client: The client.
        subject: What the subjects begin with.
        lost: How many answers.

    Attributes:
        requests: How many requests there were.
    """

    def __init__(self, client: ResilientClient, subject: str, lost: int) -> None:
        self._request, self._subject, self._lost = client.request, subject, lost
        self.requests = 0

    async def __call__(self, subject: str, *args: Any, **options: Any) -> Msg:
        """Makes a request."""
        answer = await self._request(subject, *args, **options)
        if subject.startswith(self._subject):
            self.requests += 1
            if self.requests <= self._lost:
                raise NatsTimeout
        return answer


@pytest.mark.parametrize("replicas", [1, 3])
async def test_a_write_whose_answer_was_lost_is_known_again(
    cluster: NatsCluster, monkeypatch: pytest.MonkeyPatch, replicas: int
) -> None:
    async with cluster.provisioned(replicas), resilient(cluster.url) as broker:
        answers = Answers(broker.client, "$KV.maie_jobs.", lost=1)
        monkeypatch.setattr(broker.client, "request", answers)
        first = await broker.jobs.create("a", b"1")
        answers.requests = 0
        second = await broker.jobs.update("a", b"2", last=first)
        entries = await broker.jobs.history("a")
        assert [entry.revision for entry in entries] == [first, second]
        with pytest.raises(KeyWrongLastSequenceError):
            await broker.jobs.update("a", b"3", last=first)


async def test_anothers_write_is_not_taken_for_ones_own(
    nats_server: NatsServer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with resilient(nats_server.url) as patient:
        answers = Answers(patient.client, "$KV.maie_jobs.", lost=1)
        monkeypatch.setattr(patient.client, "request", answers)
        await broker.jobs.create("a", b"of another")
        with pytest.raises(KeyWrongLastSequenceError):
            await patient.jobs.create("a", b"1")
        assert answers.requests > 1


async def test_what_is_refused_is_not_tried_again(
    nats_server: NatsServer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with resilient(nats_server.url) as patient:
        answers = Answers(patient.client, "$JS.API.STREAM.MSG.GET", lost=0)
        monkeypatch.setattr(patient.client, "request", answers)
        await patient.requests.put("a", b"1")
        with pytest.raises(KeyNotFoundError):
            await patient.requests.get("b")
        with pytest.raises(NotFoundError):
            await patient.jetstream.stream_info("ABSENT")
        assert answers.requests == 1


async def test_a_connection_that_rides_out_nothing_asks_once(
    nats_server: NatsServer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Answers(broker.client, "$KV.maie_jobs.", lost=1)
    monkeypatch.setattr(broker.client, "request", answers)
    with pytest.raises(NatsTimeout):
        await broker.jobs.put("a", b"1")
    assert answers.requests == 1


async def test_it_gives_up(
    nats_server: NatsServer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "RIDE_OUT_SECONDS", 0.5)
    async with resilient(nats_server.url) as patient:
        await nats_server.stop(kill=True)
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises((NatsError, OSError)):
                await patient.jobs.get("a")
            assert not await patient.until_connected()


async def test_a_cancelled_call_waits_no_longer(
    nats_server: NatsServer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with resilient(nats_server.url) as patient:
        answers = Answers(patient.client, "$JS.API.STREAM.INFO", lost=2**30)
        monkeypatch.setattr(patient.client, "request", answers)
        reading = asyncio.create_task(patient.jetstream.stream_info(subjects.TASKS))
        while not answers.requests:
            await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        before = answers.requests
        await asyncio.sleep(1.5)
        assert answers.requests == before


async def test_another_server_is_asked_where_one_answers_nothing(
    cluster: NatsCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "MOVE_SECONDS", 0.5)
    async with resilient(cluster.url) as broker:
        asked = 0

        async def of_another() -> str:
            """Counts as unanswered while it is the first server that is asked."""
            nonlocal asked
            asked += 1
            if broker.connections == 0:
                raise TimeoutError
            return "answered"

        assert await broker.client.ride_out(of_another) == "answered"
        assert broker.connections >= 1
        assert asked > 1
