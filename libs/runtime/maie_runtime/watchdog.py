"""What a service rests on may die by itself: a model's process, a helper. Then the service ends.

A supervisor starts it again, which is the only cure that is known to work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger()


@asynccontextmanager
async def watchdog(watch: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Runs a block for as long as a watch finds nothing wrong.

    When the watch raises, the block is cancelled and ends with what the watch
    raised. A stage that is opened within such a block so ends its service:
    health says NOT_SERVING at once, no more units are pulled, calls in hand get
    their grace, and the process ends with status 1.

    Args:
        watch: Waits, for ever where all is well, and raises StageError where
            not. It is cancelled when the block is left.
    """
    host = asyncio.current_task()
    assert host is not None
    cancelling = host.cancelling()
    failure: Exception | None = None

    async def run() -> None:
        nonlocal failure
        try:
            await watch()
        except Exception as error:  # noqa: BLE001 # whatever it is, it is raised again below
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
        # As asyncio.timeout does: who else cancelled the task is not kept from doing so.
        if failure is not None and host.uncancel() <= cancelling:
            raise failure from None
        raise
