"""A shared GPU has one holder at a time, and goes to the others in the order of their asking."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from maie_runtime.background import end
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.gpu import lease as gpu_lease
from maie_runtime.gpu.lease import LOST_AFTER, RENEW_AFTER, GpuLock
from tests.conftest import NatsServer
from tests.runtime.gpus import (
    GPU,
    TTL,
    Diary,
    another_broker,
    forget_soon,
    holder_process,
    open_lease,
)
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

# Each of three processes before the first fault, and again after the last.
LEAST_TURNS = 6


@pytest_asyncio.fixture(autouse=True)
async def _forgetful(broker: Broker) -> None:
    await forget_soon(broker)


@pytest.fixture
async def lease(broker: Broker) -> AsyncIterator[GpuLock]:
    async with open_lease(broker, "first") as opened:
        yield opened


@pytest.fixture
async def other(broker: Broker, nats_server: NatsServer) -> AsyncIterator[GpuLock]:
    async with another_broker(nats_server) as second, open_lease(second, "other") as opened:
        yield opened


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    return Diary(tmp_path / "diary")


async def test_who_asks_has_it_at_once_when_it_is_free(
    nats_server: NatsServer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing but a release makes anybody look again.
    await forget_soon(broker, 10 * PATIENCE_SECONDS)
    monkeypatch.setattr(gpu_lease, "LOOK_SECONDS", 10 * PATIENCE_SECONDS)
    async with (
        another_broker(nats_server) as second,
        open_lease(broker, "first") as lease,
        open_lease(second, "other") as other,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        for each in (lease, other, lease):
            await (await each.acquire()).release()
        hold = await lease.acquire()
        waiting = asyncio.create_task(other.acquire())
        while not await hold.others_wait():
            await asyncio.sleep(0.01)
        await hold.release()
        await (await waiting).release()


@pytest.mark.slow
async def test_it_is_held_for_as_long_as_wanted(lease: GpuLock, other: GpuLock) -> None:
    hold = await lease.acquire()
    waiting = asyncio.create_task(other.acquire())
    await asyncio.sleep(2 * TTL)
    assert hold.valid
    assert not waiting.done()
    assert await hold.others_wait()
    await hold.release()
    async with asyncio.timeout(PATIENCE_SECONDS):
        taken = await waiting
    assert taken.token > hold.token
    assert not await taken.others_wait()
    await taken.release()


async def test_it_goes_to_the_others_in_the_order_of_their_asking(
    nats_server: NatsServer, broker: Broker, lease: GpuLock
) -> None:
    # Who is forgotten loses its place, and this is not about that.
    await forget_soon(broker, 10.0)
    order: list[str] = []

    async def wait(name: str, broker: Broker) -> None:
        async with open_lease(broker, name) as each:
            hold = await each.acquire()
            order.append(name)
            await asyncio.sleep(0.05)
            await hold.release()

    names = [f"service {number}" for number in range(8)]
    hold = await lease.acquire()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for count, name in enumerate(names, 1):
            broker = await stack.enter_async_context(another_broker(nats_server))
            group.create_task(wait(name, broker))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len((await lease.look())[1]) < count:
                    await asyncio.sleep(0.01)
        await hold.release()
        # It asks again, as a service with more work does, and is the last one.
        again = await lease.acquire()
        assert order == names
        await again.release()


async def test_who_is_cancelled_waits_no_more(lease: GpuLock, other: GpuLock) -> None:
    hold = await lease.acquire()
    waiting = asyncio.create_task(other.acquire())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await hold.others_wait():
            await asyncio.sleep(0.01)
    await end(waiting)
    assert not await hold.others_wait()
    await hold.release()


async def test_a_release_never_frees_what_another_holds(lease: GpuLock, other: GpuLock) -> None:
    stale = await lease.acquire()
    await lease.free(stale.token)
    taken = await other.acquire()
    # The first does not know yet; its renewal would show it.
    await stale.release()
    assert await lease.look() == (True, set())
    assert taken.valid
    await taken.release()


@pytest.mark.slow
async def test_a_renewal_whose_answer_was_lost_counts(broker: Broker, lease: GpuLock) -> None:
    hold = await lease.acquire()
    entry = await broker.gpus.get(subjects.gpu_holder(GPU))
    await broker.gpus.put(subjects.gpu_holder(GPU), entry.value or b"")
    await asyncio.sleep(TTL)
    assert hold.valid
    await hold.release()
    assert await lease.look() == (False, set())


async def test_a_holder_that_the_server_forgot_notices(broker: Broker, lease: GpuLock) -> None:
    hold = await lease.acquire()
    await broker.jetstream.purge_stream(subjects.bucket_stream(subjects.GPUS))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await hold.lost.wait()
    assert not hold.valid
    await hold.release()


@pytest.mark.slow
async def test_a_holder_without_a_broker_stops_before_another_can_begin(
    nats_server: NatsServer, broker: Broker, lease: GpuLock
) -> None:
    hold = await lease.acquire()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await revision(broker) == hold.token:
            await asyncio.sleep(0.01)
    await nats_server.stop(kill=True)
    # The server would forget it a TTL after the last renewal. On a busy machine all timers of this
    # process are late, and in their order.
    await asyncio.sleep(TTL * (1 - RENEW_AFTER))
    for _ in range(20):
        await asyncio.sleep(0)
    assert hold.lost.is_set()
    assert not hold.valid
    await nats_server.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        again = await lease.acquire()
    assert again.token > hold.token
    await hold.release()
    await again.release()


async def revision(broker: Broker) -> int:
    """That of the holder's entry, which grows as it is renewed."""
    return (await broker.gpus.get(subjects.gpu_holder(GPU))).revision or 0


@pytest.mark.slow
async def test_a_broker_that_is_started_again_costs_nobody_the_gpu(
    nats_server: NatsServer, broker: Broker
) -> None:
    seconds = 6.0
    await forget_soon(broker, seconds)
    async with open_lease(broker, "first") as lease:
        hold = await lease.acquire()
        for _ in range(2):
            await nats_server.stop(kill=True)
            await nats_server.start()
            await asyncio.sleep(seconds * LOST_AFTER)
            assert hold.valid
        await hold.release()


@pytest.mark.slow
async def test_a_killed_holder_loses_it_once_it_is_forgotten(
    nats_server: NatsServer, lease: GpuLock, diary: Diary
) -> None:
    async with holder_process(nats_server, diary, "victim", hold_seconds=60) as process:
        await diary.has("took", "victim")
        waiting = asyncio.create_task(lease.acquire())
        await asyncio.sleep(TTL)  # long enough for renewals
        assert not waiting.done()
        process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            hold = await waiting
    takeover = time.monotonic() - killed
    print(f"takeover after kill -9: {takeover:.2f} s, where {TTL} s are given")
    await hold.release()


@pytest.mark.slow
async def test_a_killed_service_that_waited_keeps_nobody_waiting(
    nats_server: NatsServer, lease: GpuLock, other: GpuLock, diary: Diary
) -> None:
    hold = await lease.acquire()
    async with holder_process(nats_server, diary, "victim", hold_seconds=60) as process:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await hold.others_wait():
                await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        behind = asyncio.create_task(other.acquire())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len((await lease.look())[1]) < 2:
                await asyncio.sleep(0.01)
        await hold.release()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await (await behind).release()
    assert "took" not in {entry["what"] for entry in diary.read()}


@pytest.mark.slow
async def test_a_frozen_holder_does_not_go_on(
    nats_server: NatsServer, lease: GpuLock, diary: Diary
) -> None:
    async with holder_process(nats_server, diary, "sleeper", hold_seconds=60) as process:
        await diary.has("took", "sleeper")
        process.send_signal(signal.SIGSTOP)
        hold = await lease.acquire()
        taken = time.monotonic()
        process.send_signal(signal.SIGCONT)
        await diary.has("lost", "sleeper")
        # It asks again, in order, and did not free what is another's.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await hold.others_wait():
                await asyncio.sleep(0.02)
        assert hold.valid
        await hold.release()
    late = [entry for entry in diary.read() if entry["what"] == "use" and entry["at"] > taken]
    assert [entry for entry in late if entry["token"] < hold.token] == []


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.slow) for seed in range(3)])
async def test_there_is_one_holder_at_a_time_whatever_becomes_of_them(
    nats_server: NatsServer, diary: Diary, seed: int
) -> None:
    """Three processes take the GPU in turn, while they are killed and frozen at random."""
    lots = random.Random(seed)
    names = ["a", "b", "c"]
    async with AsyncExitStack() as stack:

        async def start(name: str) -> asyncio.subprocess.Process:
            holding = holder_process(nats_server, diary, name, hold_seconds=0.2)
            return await stack.enter_async_context(holding)

        processes = {name: await start(name) for name in names}
        for name in names:
            await diary.has("took", name)
        for _ in range(6):
            name = lots.choice(names)
            await asyncio.sleep(lots.uniform(0.05, 0.6))
            if lots.random() < 0.5:
                processes[name].send_signal(signal.SIGKILL)
                processes[name] = await start(name)
            else:
                processes[name].send_signal(signal.SIGSTOP)
                await asyncio.sleep(lots.choice([0.2, TTL * LOST_AFTER, TTL + 1]))
                processes[name].send_signal(signal.SIGCONT)
        before = len(diary.read())
        await until(
            lambda: (
                {entry["by"] for entry in diary.read()[before:] if entry["what"] == "took"}
                == set(names)
            )
        )
    check(diary)


def check(diary: Diary) -> None:
    """Nobody uses the GPU once a later holder has it, and tokens grow."""
    entries = sorted(diary.read(), key=lambda entry: entry["at"])
    tokens = [entry["token"] for entry in entries if entry["what"] == "took"]
    assert len(tokens) >= LEAST_TURNS
    assert all(one < next_one for one, next_one in pairwise(tokens))
    used = [entry["token"] for entry in entries if entry["what"] == "use"]
    assert all(one <= next_one for one, next_one in pairwise(used))
