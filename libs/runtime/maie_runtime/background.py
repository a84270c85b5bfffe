"""Background tasks for the time of a context."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

log = structlog.get_logger()

CANCEL_AGAIN_SECONDS = 1.0


@asynccontextmanager
async def background_tasks(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs background tasks during the context; all have ended when it is left.

    A failed task is logged; the context continues.
    """
    tasks = [asyncio.create_task(one, name=getattr(one, "__qualname__", None)) for one in work]
    for task in tasks:
        task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        await end(*tasks)


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks, and waits until they have ended, even if this task is cancelled meanwhile.

    nats-py waits with asyncio.wait_for, which up to Python 3.11 swallows a
    cancellation that coincides with its result; so this repeats the cancellation.
    """
    cancelled: asyncio.CancelledError | None = None
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        try:
            await asyncio.wait(running, timeout=CANCEL_AGAIN_SECONDS)
        except asyncio.CancelledError as error:
            # Perhaps from an `end` of this task's own, which repeats it.
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("background.failed", work=task.get_name(), exc_info=error)
