"""Calls that send and receive at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from google.protobuf.message import Message


async def write(call: Any, message: Message) -> None:
    """Sends a message like `call.write`, but keeps the call's status.

    grpcio 1.85 treats a failed write after the gateway has ended the call as the end of the call:
    the reader gets INTERNAL instead of the gateway's error.
    """
    await call._cython_call.send_serialized_message(message.SerializeToString())


async def received(answer: Awaitable[Any], sending: asyncio.Task[None]) -> Any:
    """Awaits an answer; if the sender failed and cancelled the call, raises its error."""
    try:
        return await answer
    except asyncio.CancelledError:
        if not sending.done() or sending.cancelled():
            raise
        if failed := sending.exception():
            raise failed from None
        raise


async def stop(call: Any, sending: asyncio.Task[None]) -> None:
    """Ends a call and what sends for it."""
    call.cancel()  # abandoned calls are not garbage-collected
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
