"""The only limit of time: on a busy machine all takes longer, but something always happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.waiting import PATIENCE_SECONDS


@asynccontextmanager
async def moving(progress: Callable[[], object]) -> AsyncIterator[None]:
    """Ends the block with an error where nothing at all happens for PATIENCE_SECONDS.

    Args:
        progress: Gives what changes with whatever happens.

    Raises:
        ExceptionGroup: With an AssertionError: nothing happened.
    """
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(_watch(progress))
        yield
        watching.cancel()


async def _watch(progress: Callable[[], object]) -> None:
    before = None
    while (now := progress()) != before:
        before = now
        await asyncio.sleep(PATIENCE_SECONDS)
    raise AssertionError(f"nothing happened for {PATIENCE_SECONDS} s: {before}")
