"""Passes messages in both directions at once, and waits for nobody who is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from litestar.exceptions import WebSocketDisconnect

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.background import end
from maie_web.live.handshake import AnyWebSocket

# A page that takes nothing for so long is gone; what it misses, it gets when it resumes.
UNREAD_SECONDS = 30.0


async def until_one_ends(*work: Coroutine[Any, Any, object]) -> None:
    """Runs work until one piece of it has ended, and ends the others.

    Raises:
        Exception: What ended the first.
    """
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await end(*tasks)


async def received(socket: AnyWebSocket) -> str | bytes:
    """The next message of a page.

    Raises:
        WebSocketDisconnect: It left.
    """
    message: Any = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(detail="the page left", code=message.get("code", 1005))
    text: str | None = message.get("text")
    content: bytes = message.get("bytes") or b""
    return content if text is None else text


async def show(socket: AnyWebSocket, text: str) -> None:
    """Sends a message to a page.

    Raises:
        StageError: DEADLINE_EXCEEDED with CALLER_STALLED: it takes nothing.
    """
    try:
        async with asyncio.timeout(UNREAD_SECONDS):
            await socket.send_text(text)
    except TimeoutError:
        raise StageError(
            Code.DEADLINE_EXCEEDED,
            Reason.CALLER_STALLED,
            "The page does not take what is sent; resume the session.",
        ) from None
