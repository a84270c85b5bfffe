"""Runs several iterations concurrently and yields their items in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TypeVar

ItemT = TypeVar("ItemT")


async def in_order(
    sources: Sequence[AsyncGenerator[ItemT, None]], at_once: int
) -> AsyncGenerator[ItemT, None]:
    """Runs iterations concurrently; yields the items of the first one as they come, then the rest.

    Closing or cancelling it ends all running iterations.

    Args:
        sources: The iterations.
        at_once: The most iterations that run concurrently.
    """
    limit = asyncio.Semaphore(at_once)
    queues: list[asyncio.Queue[ItemT | None]] = [asyncio.Queue() for _ in sources]

    async def drain(
        source: AsyncGenerator[ItemT, None], queue: asyncio.Queue[ItemT | None]
    ) -> None:
        try:
            async with limit, aclosing(source):
                async for item in source:
                    queue.put_nowait(item)
        finally:
            queue.put_nowait(None)

    pairs = list(zip(sources, queues, strict=True))
    tasks = [asyncio.create_task(drain(source, queue)) for source, queue in pairs]
    try:
        for task, queue in zip(tasks, queues, strict=True):
            while (item := await queue.get()) is not None:
                yield item
            await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
