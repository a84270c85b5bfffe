"""One way to put something around the handlers of RPCs, for all four kinds of RPC."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

Around = Callable[[Any], AbstractAsyncContextManager[None]]
"""Makes what a call happens in, of the call's ServicerContext."""
Handler = Any
"""A grpc.RpcMethodHandler, whose stubs declare no attributes."""


def method_of(handler: Handler) -> str:
    """The attribute of a handler that holds its function, such as `unary_stream`."""
    request = "stream" if handler.request_streaming else "unary"
    return f"{request}_{'stream' if handler.response_streaming else 'unary'}"


def answers_by_writing(handler: Handler) -> bool:
    """Whether a handler writes its responses to its context, such as health's Watch."""
    return handler.response_streaming and inspect.iscoroutinefunction(
        getattr(handler, method_of(handler))
    )


def wrapped(handler: Handler, around: Around) -> Handler:
    """The handler with `around` entered for the whole of each call, in the call's own task.

    What `around` sets in context variables is seen by the handler, and need not be reset: a call
    has a task of its own.
    """
    name = method_of(handler)
    call = getattr(handler, name)

    async def answer_once(request: Any, context: Any) -> Any:
        async with around(context):
            return await call(request, context)

    async def answer_many(request: Any, context: Any) -> AsyncIterator[Any]:
        async with around(context):
            async for response in call(request, context):
                yield response

    streams = handler.response_streaming and not answers_by_writing(handler)
    return handler._replace(**{name: answer_many if streams else answer_once})
