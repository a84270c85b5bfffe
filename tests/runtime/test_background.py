"""Background tasks of a context end with it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from maie_runtime.background import background_tasks, end
from tests.waiting import PATIENCE_SECONDS, until


async def test_work_runs_while_the_context_lasts_and_not_after() -> None:
    runs = 0

    async def work() -> None:
        nonlocal runs
        while True:
            runs += 1
            await asyncio.sleep(0)

    async with background_tasks(work(), work()):
        await until(lambda: runs > 2)
    before = runs
    await asyncio.sleep(0.01)
    assert runs == before


async def test_a_task_that_missed_its_cancellation_is_told_again() -> None:
    async def deaf_once() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    task = asyncio.create_task(deaf_once())
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await end(task)
    assert task.cancelled()


async def test_nothing_is_left_behind_by_who_is_cancelled_again_while_it_waits() -> None:
    """As by an `end` around it, while a broker is slow to answer."""
    answered = asyncio.Event()

    async def slow_to_end() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            while not answered.is_set():
                with suppress(asyncio.CancelledError):
                    await answered.wait()

    async def around() -> None:
        async with background_tasks(slow_to_end()):
            await asyncio.sleep(60)

    before = asyncio.all_tasks()
    outer = asyncio.create_task(around())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await until(lambda: len(asyncio.all_tasks() - before) == 2)
        ending = asyncio.create_task(end(outer))
        await until(lambda: outer.cancelling() >= 3)
        assert not outer.done()
        answered.set()
        await ending
    assert outer.cancelled()
    assert asyncio.all_tasks() == before


async def test_work_that_failed_is_logged_and_keeps_nobody_from_leaving() -> None:
    async def fails() -> None:
        raise OSError("gone")

    with capture_logs() as logs:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with background_tasks(fails(), asyncio.sleep(60)):
                await asyncio.sleep(0.01)
    [told] = logs
    assert told["event"] == "background.failed"
    assert told["work"].endswith("fails")
    assert str(told["exc_info"]) == "gone"


async def test_an_error_of_the_context_comes_out_once_the_work_has_ended() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    with pytest.raises(OSError, match="gone"):
        async with background_tasks(work()):
            await asyncio.sleep(0)
            raise OSError("gone")
    assert ended.is_set()
