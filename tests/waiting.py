"""Waiting for what comes in its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

# What is well comes long before, on a busy machine too: only what hangs takes so long.
PATIENCE_SECONDS = 120

Found = TypeVar("Found")


async def until(condition: Callable[[], Found], seconds: float = PATIENCE_SECONDS) -> Found:
    """Waits until something holds, and gives it.

    Raises:
        TimeoutError: It did not within so many seconds.
    """
    async with asyncio.timeout(seconds):
        while not (found := condition()):
            await asyncio.sleep(0.01)
    return found
