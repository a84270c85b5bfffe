"""One way to put something around the handlers of RPCs, for all four kinds of RPC."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
from grpc_health.v1 import health

HEALTH = f"/{health.SERVICE_NAME}/"
"""The beginning of the paths of the health service."""
Around = Callable[[Any], AbstractAsyncContextManager[None]]
"""Makes what a call happens in, of the call's ServicerContext."""
BeforeAnswer = Callable[[Any], Awaitable[None]]
"""Is awaited before a call's first answer, with the call's ServicerContext."""
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


class _BeforeAnswer:
    """A ServicerContext that awaits something before the first response is written.

    Args:
        context: The call's ServicerContext.
        before_answer: What is awaited.
    """

    def __init__(self, context: Any, before_answer: BeforeAnswer) -> None:
        self._context = context
        self._before_answer = before_answer
        self._answered = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    async def write(self, response: Any) -> None:
        """Writes a response."""
        await self.answering()
        await self._context.write(response)

    async def answering(self) -> None:
        """Awaits what comes before the answer, the first time."""
        if not self._answered:
            self._answered = True
            await self._before_answer(self._context)


def wrapped(
    handler: Handler,
    around: Around,
    before_answer: BeforeAnswer | None = None,
) -> Handler:
    """The handler with `around` entered for the whole of each call, in the call's own task.

    What `around` sets in context variables is seen by the handler, and need not be reset: a call
    has a task of its own.

    Args:
        handler: A handler that reads and writes its context, as those within
            `messages.MessageInterceptor` do.
        around: Entered for the whole of each call.
        before_answer: Awaited within it, before a response or the first one of a stream is sent;
            its error ends the call instead.
    """
    name = method_of(handler)
    call = getattr(handler, name)

    async def serve(requests: Any, context: Any) -> None:
        async with around(context):
            if before_answer is None:
                await call(requests, context)
                return
            answered = _BeforeAnswer(context, before_answer)
            await call(requests, answered)
            await answered.answering()

    return handler._replace(**{name: serve})


class HandlerInterceptor(grpc.aio.ServerInterceptor):
    """An interceptor that changes the handlers of a server."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Changes the handler of the call, where the server has one."""
        handler = await continuation(handler_call_details)
        # Its stubs leave open what a path is.
        path: Any = handler_call_details.method
        if handler is None:
            self.note_missing(path)
            return None
        return self.around_handler(path, handler)

    @abstractmethod
    def around_handler(self, path: str, handler: Handler) -> Handler:
        """The handler to call in place of one of the server's.

        Args:
            path: The RPC's path, such as "/maie.job.v1.JobService/GetJob".
            handler: The handler.
        """

    def note_missing(self, path: str) -> None:
        """Notes a call of a method that the server does not have."""
        return
