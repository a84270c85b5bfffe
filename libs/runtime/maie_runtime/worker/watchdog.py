"""Ends a service when something that it depends on dies, such as a model's process.

A supervisor restarts it, which is the only known remedy.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger()


@asynccontextmanager
async def watchdog(watch: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Runs a block until a watch finds an error.

    When the watch raises, the block is cancelled and ends with the watch's
    error. A stage that is opened within such a block thus ends its service:
    health reports NOT_SERVING at once, no more units are pulled, running calls get
    the grace, and the process ends with status 1.

    Args:
        watch: Waits as long as all is well, and raises StageError
            otherwise. It is cancelled when the block is left.
    """
    host = asyncio.current_task()
    assert host is not None
    cancelling = host.cancelling()
    failure: Exception | None = None

    async def run() -> None:
        nonlocal failure
        try:
            await watch()
        except Exception as error:  # noqa: BLE001 # raised again below
            log.error("watchdog.died", error=str(error))
            failure = error
            host.cancel()

    watching = asyncio.create_task(run())
    try:
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait([watching])
    except asyncio.CancelledError:
        # As in asyncio.timeout: other cancellations of the task stay in effect.
        if failure is not None and host.uncancel() <= cancelling:
            raise failure from None
        raise
