"""The broker as commands reach it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from maie_cli.exits import Exit, leave
from maie_runtime.bus.broker import Broker


@asynccontextmanager
async def connected(
    opening: AbstractAsyncContextManager[Broker], seconds: float
) -> AsyncIterator[Broker]:
    """Opens a connection; ends the command where NATS does not answer in time.

    Args:
        opening: The connection.
        seconds: How long NATS may take to answer.
    """
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(seconds):
                broker = await stack.enter_async_context(opening)
        except TimeoutError:
            leave("NATS does not answer; check MAIE_NATS_URL.", Exit.UNREACHABLE)
        yield broker
