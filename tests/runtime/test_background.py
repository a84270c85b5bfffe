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
