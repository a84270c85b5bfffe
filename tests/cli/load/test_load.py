"""How many run at a time, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from maie_cli.exits import Exit
from maie_cli.load.load import Load
from maie_cli.load.result import JOBS, exit_of, result_of
from maie_cli.load.runs import Run, State
from maie_client import ClientError, StatusCode

pytestmark = pytest.mark.unit


async def _complete(run: Run) -> None:
    run.state = State.COMPLETE


@dataclass(kw_only=True)
class Counted:
    """Counts how many run at a time.

    Attributes:
        way: What becomes of each.
        ends: Whether it can end what runs in order.
        most: The most that ran at a time.
    """

    way: Callable[[Run], Awaitable[None]] = _complete
    ends: bool = True
    most: int = 0
    now: int = 0
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def do(self, run: Run) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            await self.way(run)
        finally:
            self.now -= 1

    async def cancel(self, _: Run) -> bool:
        self.cancelled.set()
        return self.ends


def error(reason: str, retry_after: timedelta | None = None) -> ClientError:
    return ClientError(StatusCode.RESOURCE_EXHAUSTED, reason, "Too busy.", retry_after)


@pytest.mark.parametrize(("count", "at_once", "most"), [(7, 3, 3), (2, 5, 2), (1, 1, 1)])
async def test_so_many_run_at_a_time_until_all_have_ended(
    count: int, at_once: int, most: int
) -> None:
    work = Counted()
    load = Load(work, count=count, at_once=at_once)
    await load.run()
    assert (work.most, load.count_of(State.COMPLETE)) == (most, count)
    assert exit_of(load) == Exit.OK


async def test_errors_are_counted_by_reason_and_the_worst_is_the_exit_code() -> None:
    reasons = iter(["QUEUE_FULL", "", "QUEUE_FULL", "JOBS_FULL"])

    async def fails(run: Run) -> None:
        if reason := next(reasons):
            raise error(reason, timedelta(milliseconds=1))
        run.state = State.COMPLETE

    load = Load(Counted(way=fails), count=4, at_once=2)
    await load.run()
    result = result_of(load, JOBS, recording="talk.wav", at_once=2)
    assert [(each.reason, each.count) for each in result.errors] == [
        ("QUEUE_FULL", 2),
        ("JOBS_FULL", 1),
    ]
    assert (result.complete, result.failed) == (1, 3)
    assert exit_of(load) == Exit.UNREACHABLE


async def test_who_is_asked_to_come_back_later_waits() -> None:
    async def refused(_: Run) -> None:
        raise error("QUEUE_FULL", timedelta(hours=1))

    load = Load(Counted(way=refused), count=5, at_once=1)
    running = asyncio.create_task(load.run())
    while load.count_of(State.FAILED) < 1:
        await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(load.runs) == 1
    load.stop()
    await running
    assert len(load.runs) == 1


@pytest.mark.parametrize("ends", [True, False])
async def test_stopping_ends_what_runs_and_begins_no_more(ends: bool) -> None:
    work = Counted(ends=ends)

    async def waits(run: Run) -> None:
        await work.cancelled.wait()
        if not ends:
            await asyncio.Event().wait()
        run.state = State.CANCELLED

    work.way = waits
    load = Load(work, count=9, at_once=2)
    running = asyncio.create_task(load.run())
    while work.now < 2:
        await asyncio.sleep(0)
    load.stop()
    await running
    result = result_of(load, JOBS, recording="talk.wav", at_once=2)
    assert (result.cancelled, result.not_begun, result.left) == (2, 7, 0)
    assert load.stopped


async def test_what_nobody_waits_for_is_counted_as_left() -> None:
    async def hangs(_: Run) -> None:
        await asyncio.Event().wait()

    work = Counted(way=hangs)
    load = Load(work, count=2, at_once=2)
    running = asyncio.create_task(load.run())
    while work.now < 2:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert work.now == 0
    assert result_of(load, JOBS, recording="talk.wav", at_once=2).left == 2


async def test_an_error_that_is_not_the_gateways_ends_the_load() -> None:
    async def breaks(_: Run) -> None:
        raise FileNotFoundError(2, "No such file", "talk.wav")

    work = Counted(way=breaks)
    with pytest.raises(FileNotFoundError):
        await Load(work, count=9, at_once=3).run()
    assert work.now == 0
