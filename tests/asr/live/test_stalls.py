"""A reading that never returns costs its replica, and no track."""

from __future__ import annotations

import asyncio
import time

import grpc
import pytest

from maie_asr.live.engine import Effort
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_speech.live.stalls import LOOKS, WARM_UP_FACTOR, StallWatch
from tests.asr.live.calling import Call, answers, config, instant, parts, track
from tests.asr.live.test_calls import SPOKEN, reason_of
from tests.live_engine import InstantEngine, quiet, say
from tests.waiting import until

pytestmark = pytest.mark.unit

LIMIT_SECONDS = 0.3


async def test_a_reading_that_does_not_return_is_found_and_blamed() -> None:
    blamed: list[StageError] = []
    stalls = StallWatch(LIMIT_SECONDS)
    with stalls.reading(blamed.append), pytest.raises(StageError) as raised:
        await stalls.watch()
    assert raised.value.reason == Reason.STALLED
    assert [error.reason for error in blamed] == [Reason.STALLED]


async def test_readings_that_return_are_never_blamed() -> None:
    blamed: list[StageError] = []
    stalls = StallWatch(LIMIT_SECONDS)
    watching = asyncio.create_task(stalls.watch())
    for _ in range(2 * LOOKS):
        with stalls.reading(blamed.append):
            await asyncio.sleep(LIMIT_SECONDS / LOOKS)
    assert not watching.done()
    assert not blamed
    watching.cancel()


async def test_a_process_that_was_frozen_finds_no_stall() -> None:
    stalls = StallWatch(LIMIT_SECONDS)
    watching = asyncio.create_task(stalls.watch())
    with stalls.reading(lambda _: None):
        await asyncio.sleep(0)
        time.sleep(3 * LIMIT_SECONDS)  # noqa: ASYNC251 # as if the whole process stood still
        for _ in range(5):
            await asyncio.sleep(0)
        assert not watching.done()
    watching.cancel()


def test_a_slow_engine_gets_more_time() -> None:
    stalls = StallWatch(LIMIT_SECONDS)
    stalls.allow_for(LIMIT_SECONDS)
    stalls.allow_for(0.0)
    assert stalls.limit_seconds == pytest.approx(WARM_UP_FACTOR * LIMIT_SECONDS)


@pytest.mark.parametrize("kind", ["final", "partial"])
async def test_the_track_that_hangs_gets_the_reason_and_others_go_elsewhere(kind: str) -> None:
    engine = InstantEngine()
    options = {"partials": kind == "partial", "partial_interval_seconds": 0.2}
    async with instant(engine, stall_seconds=LIMIT_SECONDS, **options) as (channel, live):
        other = Call(channel)
        await other.send(config())
        await other.read_until("ready")

        async def hang(effort: Effort) -> None:
            if (effort is Effort.PARTIAL) == (kind == "partial"):
                await asyncio.Event().wait()

        engine.hook = hang
        watching = asyncio.create_task(live.watch())
        hung = Call(channel)
        await hung.send(config(), *parts(say("alpha", "bravo", "charlie")), *parts(quiet(1)))
        for call, code, reason in (
            (hung, grpc.StatusCode.DEADLINE_EXCEEDED, "STALLED"),
            (other, grpc.StatusCode.UNAVAILABLE, "WORKER_STOPS"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await call.rest()
            assert (raised.value.code(), reason_of(raised.value)) == (code, reason)
        with pytest.raises(StageError, match="did not finish a reading"):
            await watching
        await until(lambda: not live.tracks)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await answers(channel, track(*SPOKEN))
        assert reason_of(refused.value) == "WORKER_STOPS"
