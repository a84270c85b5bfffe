"""What is too much is refused or slowed down, and nobody else is."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta

import grpc
import pytest

from maie.live.v1 import live_pb2 as live
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import config, expected, retry_of, talking
from tests.gateway.live.loud_asr import busy
from tests.gateway.live.speech import said
from tests.waiting import until

pytestmark = pytest.mark.mesh

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
MOST_HELD = 35


# A message that is sent while a call ends can hide its status from gRPC's client, so each of
# these tests sends a single one.
async def test_a_track_that_no_replica_can_take_is_refused(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, first):
        async with talking(address) as talk, talking(address) as other:
            await other.start()
            await other.audio("zoe", said([1]))
            await other.next("final")
            first.asr.refusal = busy()
            started = await talk.start()
            await talk.audio("ann", said([2]), seconds=1.0)
            assert await talk.failure() == (EXHAUSTED, "LIVE_BUSY")
            assert retry_of(talk) > timedelta()
            await other.audio("zoe", said([3]))
            await other.end()
            assert other.finals() == expected("zoe", [1, 3])
        first.asr.refusal = None
        async with talking(address) as again:
            await again.resume(started)
            await again.audio("ann", said([2]), seconds=1.0)
            await again.end()
            assert again.finals() == expected("ann", [2])


async def test_one_busy_track_leaves_the_others(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, first):
        async with talking(address) as talk:
            started = await talk.start()
            await talk.audio("ann", said([1]))
            await talk.next("final")
            first.asr.refusal = busy()
            await talk.audio("bob", said([2]))
            (warned,) = await talk.next("warning")
            assert warned.warning.warning.reason == "LIVE_BUSY"
            await talk.audio("ann", said([3]))
            await talk.next("final", 2)
            # Its audio is not lost: the session does not end without it.
            await talk.send(end=live.EndSession())
            assert await talk.failure() == (EXHAUSTED, "LIVE_BUSY")
        first.asr.refusal = None
        async with talking(address) as again:
            await again.resume(started, 2)
            await again.audio("bob", said([2]))
            assert (await again.end()).final_count == 3
            assert talk.finals() + again.finals() == [
                *expected("ann", [1, 3]),
                *expected("bob", [2]),
            ]


async def test_without_a_replica_the_call_fails_after_a_while(live_mesh: LiveMesh) -> None:
    async with live_mesh.gateway(patience_seconds=0.5) as address:
        async with talking(address) as talk:
            started = await talk.start()
            await talk.audio("ann", said([1]), seconds=1.0)
            assert await talk.failure() == (grpc.StatusCode.UNAVAILABLE, "LIVE_UNAVAILABLE")
            assert retry_of(talk) > timedelta()
        async with live_mesh.replica(), talking(address) as again:
            await again.resume(started)
            await again.audio("ann", said([1]), seconds=1.0)
            await again.end()
            assert again.finals() == expected("ann", [1])


async def test_audio_that_kills_replicas_does_not_go_on_to_all_of_them(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, first):
        await talk.start()
        await talk.audio("bob", said([]))
        await until(lambda: first.asr.open == 1)
        first.asr.failure = StageError(Code.INTERNAL, Reason.ENGINE_FAILED, "It failed.")
        await talk.audio("ann", said([1]))
        (warned,) = await talk.next("warning")
        assert (warned.warning.track, warned.warning.warning.reason) == ("ann", "ENGINE_FAILED")
        tried = len(first.asr.configs)
        first.asr.failure = None
        await talk.audio("bob", said([2]))
        await talk.end()
        assert talk.finals() == expected("bob", [2])
        assert len(first.asr.configs) == tried < 10


async def test_tracks_and_sessions_are_limited(live_mesh: LiveMesh) -> None:
    limits = {"max_tracks": 2, "max_sessions": 3, "max_sessions_per_tenant": 2}
    async with live_mesh.running(**limits) as (address, _), AsyncExitStack() as stack:
        talks = []
        for _ in range(2):
            talks.append(await stack.enter_async_context(talking(address, "acme")))
            await talks[-1].start()
        async with talking(address, "acme") as third:
            await third.send(start=live.StartSession(config=config()))
            assert await third.failure() == (EXHAUSTED, "SESSIONS_FULL")
            assert retry_of(third) > timedelta()
        other = await stack.enter_async_context(talking(address))
        await other.start()
        async with talking(address) as fourth:
            await fourth.send(start=live.StartSession(config=config()))
            assert await fourth.failure() == (EXHAUSTED, "SESSIONS_FULL")
        for name in ("ann", "bob"):
            await other.audio(name, said([1]))
        await other.next("final", 2)
        await other.audio("cat", said([1]), seconds=1.0)
        assert await other.failure() == (PRECONDITION, "TRACKS_FULL")
        # A place is free once a session has ended.
        await talks[0].end()
        async with talking(address, "acme") as third:
            await until(lambda: talks[0].over.is_set())
            await third.start()


async def test_a_gateway_reads_no_more_than_it_can_keep(live_mesh: LiveMesh) -> None:
    words = list(range(1, 20)) * 5
    sound = said(words)
    running = live_mesh.running(max_held_seconds=MOST_HELD, freeze_seconds=1000.0)
    async with running as (address, first), talking(address) as talk:
        await talk.start()
        first.asr.running.clear()
        sending = asyncio.create_task(talk.audio("ann", sound))

        def received() -> float:
            acknowledged = [e.acknowledged.tracks for e in talk.of("acknowledged")]
            places = [t.received_offset.ToMilliseconds() for ts in acknowledged for t in ts]
            return max(places, default=0) / 1000

        await until(lambda: received() >= MOST_HELD)
        await asyncio.sleep(1)
        assert received() <= MOST_HELD + 1
        first.asr.running.set()
        await sending
        await talk.end()
        assert talk.finals() == expected("ann", words)


async def test_a_client_is_notified_of_a_lag(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking(lag_seconds=0.5) as (talk, first):
        await talk.start()
        first.asr.behind = 3.0
        await talk.audio("ann", said([1]))
        lag = (await talk.next("lag"))[0].lag
        assert (lag.track, lag.behind.seconds) == ("ann", 3)
        await talk.end()


def living() -> Counter[str]:
    """The objects of live speech and the tasks of the process."""
    gc.collect()
    kinds = Counter(
        type(each).__qualname__
        for each in gc.get_objects()
        if str(type(each).__module__).startswith("maie_gateway.live")
    )
    kinds["tasks"] = len(asyncio.all_tasks())
    return kinds


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.slow)])
async def test_joins_and_leaves_leave_memory_where_it_was(live_mesh: LiveMesh, rounds: int) -> None:
    names = [f"p{number}" for number in range(50)]
    # One that leaves may still be there when the next of its name comes.
    async with live_mesh.talking(max_tracks=2 * len(names)) as (talk, first):
        await talk.start()

        async def come_and_go() -> None:
            for name in names:
                await talk.audio(name, said([1]), seconds=1.0)
                await talk.leave(name)
            for name in names:
                await talk.durable(name, talk.sent[name])
            talk.events.clear()
            await until(lambda: first.asr.open == 0)

        await come_and_go()
        before = living()
        for _ in range(rounds):
            await come_and_go()
        # What just ended may still be on its way out.
        await until(lambda: living() - before == Counter())
        assert (await talk.end()).final_count == (1 + rounds) * len(names)
