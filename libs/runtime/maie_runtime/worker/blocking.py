"""Runs an engine's blocking work in a thread that can be stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeAlias, TypeVar

ResultT = TypeVar("ResultT")

Heartbeat: TypeAlias = Callable[[], None]


class StoppedError(Exception):
    """Nobody waits for the work any more."""


async def run_blocking(
    executor: Executor, work: Callable[[Heartbeat], ResultT], heartbeat: Heartbeat
) -> ResultT:
    """Runs work in a thread and returns its result.

    Cancelling it raises `StoppedError` in the work, at its next heartbeat.

    Args:
        executor: Where it runs.
        work: The work. It calls what it is given at least every few seconds.
        heartbeat: Called in the event loop at each heartbeat of the work.
    """
    loop = asyncio.get_running_loop()
    stopped = threading.Event()

    def beat() -> None:
        if stopped.is_set():
            raise StoppedError
        loop.call_soon_threadsafe(heartbeat)

    try:
        return await loop.run_in_executor(executor, work, beat)
    finally:
        stopped.set()
