"""Streams of requests of which a server may refuse any, at any time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf.message import Message


async def send(call: Any, requests: Iterable[Message | bytes]) -> None:
    """Sends requests as long as the call lasts, and says that these are all.

    A call of grpc.aio with an iterator of requests ends with an INTERNAL of grpc.aio's own where
    the server ends it while a request is being written.

    Args:
        call: A call to a method that takes a stream, made without requests.
        requests: What is sent.
    """
    try:
        await call.wait_for_connection()
        for request in requests:
            data = request if isinstance(request, bytes) else request.SerializeToString()
            await call._cython_call.send_serialized_message(data)
        await call.done_writing()
    except (grpc.aio.AioRpcError, grpc.aio.InternalError):
        pass  # the call has ended, and says why


async def answer_to(call: Any, requests: Iterable[Message | bytes]) -> Any:
    """Sends requests as `send` does, and awaits the one answer.

    Raises:
        grpc.aio.AioRpcError: The call failed; with the status that the server gave.
    """
    await send(call, requests)
    return await call
