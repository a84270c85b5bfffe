"""Waiting for what comes in its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


async def until(condition: Callable[[], Found], seconds: float = 10) -> Found:
    """Waits until something holds, and gives it.

    Raises:
        TimeoutError: It did not within so many seconds.
    """
    async with asyncio.timeout(seconds):
        while not (found := condition()):
            await asyncio.sleep(0.01)
    return found
