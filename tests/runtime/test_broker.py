"""The broker may freeze or start again: nothing is lost, and nothing of ours restarts."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import Any

import pytest
from nats.js.errors import KeyNotFoundError

from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, Pings, open_broker
from maie_runtime.bus.presence import present
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.gpu.memory import ModelMemory
from maie_runtime.worker.stage import StageContext
from tests.conftest import NatsServer
from tests.empty_stages import EmptyStage
from tests.runtime.workers import UNIT, count_events, next_event, queue_is_empty, submit, worker
from tests.waiting import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.mesh,
    # nats-py drops what it opened to a server that accepts and says nothing; it is closed then.
    pytest.mark.filterwarnings("ignore:unclosed <StreamWriter:ResourceWarning"),
]

# Long enough that connections with these pings are given up, short enough for a test.
FREEZE_SECONDS = 6.0
PINGS = Pings(interval_seconds=1, outstanding=2)

Break = Callable[[NatsServer], Coroutine[Any, Any, None]]


async def freeze(server: NatsServer) -> None:
    """SIGSTOP for a while."""
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(FREEZE_SECONDS)
    server.process.send_signal(signal.SIGCONT)


async def freeze_briefly(server: NatsServer) -> None:
    """SIGSTOP for less than it takes to notice."""
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(1.5)
    server.process.send_signal(signal.SIGCONT)


async def restart(server: NatsServer) -> None:
    """A start after SIGKILL and a while without a server."""
    await server.stop(kill=True)
    await asyncio.sleep(1)
    await server.start()


BREAKS = pytest.mark.parametrize(
    "happen", [pytest.param(freeze, marks=pytest.mark.slow), freeze_briefly, restart]
)


@pytest.fixture
async def ours(nats_server: NatsServer) -> AsyncIterator[Broker]:
    """A worker's connection, which notices a frozen server soon."""
    async with open_provisioned_broker(nats_server.url, "gateway"):
        pass
    async with open_broker(nats_server.url, "worker", PINGS) as opened:
        yield opened


@BREAKS
async def test_a_unit_in_hand_is_finished_and_told_once(
    nats_server: NatsServer, ours: Broker, stage: EmptyStage, blobs: Blobs, happen: Break
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def waits(_: StageContext) -> None:
        begun.set()
        await go_on.wait()

    stage.hook = waits
    async with worker(ours, stage, blobs, ack_wait_seconds=2):
        await submit(ours)
        await begun.wait()
        breaking = asyncio.create_task(happen(nats_server))
        await asyncio.sleep(0.2)
        # The result is there while the broker is away.
        go_on.set()
        await breaking
        mended = time.monotonic()
        assert (await next_event(ours)).HasField("completed")
        print(f"told {time.monotonic() - mended:.2f} s after the broker's return")
        assert await queue_is_empty(ours)
        assert await count_events(ours) == 1
    # It may be handed out again after the freeze, but not more often than that.
    assert len(stage.runs) <= 2


@BREAKS
async def test_an_idle_worker_takes_the_next_unit(
    nats_server: NatsServer, ours: Broker, stage: EmptyStage, blobs: Blobs, happen: Break
) -> None:
    async with worker(ours, stage, blobs, slots=2, ack_wait_seconds=2):
        await asyncio.sleep(0.5)
        await happen(nats_server)
        mended = time.monotonic()
        await submit(ours)
        assert (await next_event(ours)).HasField("completed")
        print(f"worked {time.monotonic() - mended:.2f} s after the broker's return")
        assert await queue_is_empty(ours)
    assert stage.runs == [(UNIT, 1)]


@BREAKS
async def test_what_is_published_meanwhile_is_stored_once(
    nats_server: NatsServer, ours: Broker, happen: Break
) -> None:
    breaking = asyncio.create_task(happen(nats_server))
    await asyncio.sleep(0.2)
    for number in range(5):
        told = event.StageEvent(job_id="j", unit=UNIT)
        await ours.publish(subjects.event("asr", "j"), told, message_id=f"j/{number}")
    await breaking
    assert await count_events(ours) == 5


@pytest.mark.slow
async def test_a_publisher_gives_up_when_it_is_told_to(
    nats_server: NatsServer, ours: Broker
) -> None:
    await nats_server.stop()
    told = event.StageEvent(job_id="j", unit=UNIT)
    with pytest.raises(StageError) as refused:
        async with asyncio.timeout(PATIENCE_SECONDS):
            event_subject = subjects.event("asr", "j")
            await ours.publish(event_subject, told, message_id="j/1", give_up_seconds=0.5)
    assert refused.value.reason == "BROKER_UNAVAILABLE"
    await nats_server.start()


@BREAKS
async def test_a_worker_is_listed_again(
    nats_server: NatsServer, ours: Broker, happen: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maie_runtime.bus.presence.HEARTBEAT_SECONDS", 0.2)
    memory = partial(ModelMemory().report, "")
    async with present(ours, "asr", event.WorkerInfo(instance="one"), memory):
        await happen(nats_server)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not ours.connected:
                await asyncio.sleep(0.05)
        before = await revision(ours)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await revision(ours) <= before:
                await asyncio.sleep(0.05)


async def revision(broker: Broker) -> int:
    """How often the worker has renewed its entry; 0 where there is none."""
    try:
        return (await broker.workers.get("asr.one")).revision or 0
    except KeyNotFoundError:
        return 0


async def test_who_listens_hears_of_a_new_connection(nats_server: NatsServer, ours: Broker) -> None:
    heard = asyncio.Event()
    with ours.subscribe_reconnects(heard.set):
        await restart(nats_server)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await heard.wait()
    assert ours.connected
