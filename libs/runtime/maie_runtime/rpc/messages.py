"""Reads the requests of calls and writes their responses, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_runtime.rpc.errors import abort
from maie_runtime.rpc.handlers import Handler, HandlerInterceptor, answers_by_writing, method_of


@dataclass(kw_only=True, frozen=True, slots=True)
class Patience:
    """How long a server waits for its callers.

    Attributes:
        request_seconds: The longest wait for the request of a call that has one.
        unread_seconds: The longest wait until a response is read; None for ever.
        min_bytes_per_second: A response of so many bytes may take a second longer.
    """

    request_seconds: float = 60.0
    unread_seconds: float | None = None
    min_bytes_per_second: int = 1024

    def seconds_for(self, size: int) -> float | None:
        """How long a response of so many bytes may wait to be read; None: for ever."""
        if self.unread_seconds is None:
            return None
        return self.unread_seconds + size / self.min_bytes_per_second


@dataclass(frozen=True, slots=True)
class _Refused:
    """Replaces a message that could not be parsed.

    Attributes:
        error: Makes the error; an error that is raised again keeps what it has met before.
    """

    error: Callable[[], StageError]


class _UnreadError(Exception):
    """A response was not read in time."""


def _unreadable() -> StageError:
    return invalid(
        Reason.REQUEST_UNREADABLE,
        "The request is not the message that this method takes; make the client from the same "
        "version of the contract.",
    )


class StreamInterceptor(HandlerInterceptor):
    """Makes all calls streams both ways to gRPC, which look the same to clients; the outermost.

    gRPC itself would read the request of a call that has one before anything else, and would send
    a single response after everything else: nobody would ask who calls while the request does not
    come, and nothing would count or end a call whose response is not read.
    """

    def around_handler(self, path: str, handler: Handler) -> Handler:
        """See `HandlerInterceptor`."""
        return grpc.stream_stream_rpc_method_handler(
            getattr(handler, method_of(handler)),
            handler.request_deserializer,
            handler.response_serializer,
        )


class MessageInterceptor(HandlerInterceptor):
    """Calls handlers with parsed requests only, and writes their responses; the innermost.

    A request that cannot be parsed is INVALID_ARGUMENT with REQUEST_UNREADABLE, for those who may
    make the call at all. One that does not come in time is DEADLINE_EXCEEDED with REQUEST_LATE, a
    response that is not read in time DEADLINE_EXCEEDED with CALLER_STALLED.

    Args:
        max_request_bytes: The largest message of a call with one request; a larger one is
            INVALID_ARGUMENT with REQUEST_TOO_LARGE, and is not parsed.
        patience: How long it waits for callers.
    """

    def __init__(self, max_request_bytes: int, patience: Patience) -> None:
        self._max_request_bytes = max_request_bytes
        self._patience = patience

    def around_handler(self, path: str, handler: Handler) -> Handler:
        """See `HandlerInterceptor`."""
        # A deserializer's exception would end the call as UNKNOWN, with the name of its class.
        limit = None if handler.request_streaming else self._max_request_bytes
        return handler._replace(
            request_deserializer=_tolerant(handler.request_deserializer, limit),
            # `_Responses` needs to know the size of what it writes.
            response_serializer=(
                handler.response_serializer if answers_by_writing(handler) else None
            ),
            **{method_of(handler): self._serving(handler)},
        )

    def _serving(self, handler: Handler) -> Callable[[Any, Any], Awaitable[None]]:
        call = getattr(handler, method_of(handler))
        serialize = handler.response_serializer

        async def answer(request: Any, context: Any) -> None:
            if answers_by_writing(handler):
                await call(request, context)
                return
            responses = _Responses(context, self._patience)
            if not handler.response_streaming:
                await responses.write(serialize(await call(request, context)))
                return
            async with aclosing(call(request, context)) as produced:
                async for response in produced:
                    await responses.write(serialize(response))

        async def serve(requests: Any, context: Any) -> None:
            request = _each(requests) if handler.request_streaming else await self._one(context)
            try:
                await answer(request, context)
            except _UnreadError:
                # gRPC sends the status once the caller has read what is before it. Until then, or
                # until the caller leaves, the call has its place among those of its caller, so that
                # nobody can have more unread responses than calls.
                await abort(context, self._stalled())

        return serve

    async def _one(self, context: Any) -> Any:
        """The request of a call that has one.

        Raises:
            StageError: DEADLINE_EXCEEDED with REQUEST_LATE, or INVALID_ARGUMENT.
        """
        try:
            async with asyncio.timeout(self._patience.request_seconds):
                request = await context.read()
        except TimeoutError:
            raise StageError(
                Code.DEADLINE_EXCEEDED,
                Reason.REQUEST_LATE,
                f"The request did not come within {self._patience.request_seconds:g} s; send it "
                "again.",
            ) from None
        return _checked(_Refused(_unreadable) if request is grpc.aio.EOF else request)

    def _stalled(self) -> StageError:
        return StageError(
            Code.DEADLINE_EXCEEDED,
            Reason.CALLER_STALLED,
            f"A response was not read for {self._patience.unread_seconds:g} s; call again, and "
            "read the responses as they come.",
        )


class _Responses:
    """The responses of one call.

    Args:
        context: The call's ServicerContext.
        patience: How long it waits until one is read.
    """

    def __init__(self, context: Any, patience: Patience) -> None:
        self._context = context
        self._patience = patience
        self._begun = False

    async def write(self, response: bytes) -> None:
        """Writes a response; waits until gRPC has room for another one.

        Raises:
            _UnreadError: It was not read in time.
        """
        if not self._begun:
            # Else gRPC would send this with the first response, and no status before that is read.
            self._begun = True
            await self._context.send_initial_metadata(())
        try:
            async with asyncio.timeout(self._patience.seconds_for(len(response))):
                await self._context.write(response)
        except TimeoutError:
            raise _UnreadError from None


def _tolerant(deserialize: Callable[[bytes], Any], max_bytes: int | None) -> Callable[[bytes], Any]:
    def read(data: bytes) -> Any:
        if max_bytes is not None and len(data) > max_bytes:
            return _Refused(partial(_too_large, len(data), max_bytes))
        try:
            return deserialize(data)
        except DecodeError:
            return _Refused(_unreadable)

    return read


def _too_large(size: int, most: int) -> StageError:
    return invalid(
        Reason.REQUEST_TOO_LARGE,
        f"A request of {size} bytes is more than {most}; ask for less at a time.",
    )


async def _each(requests: Any) -> AsyncIterator[Any]:
    # Unless it is closed, gRPC's own iterator and the call keep each other.
    async with aclosing(aiter(requests)) as received:
        async for request in received:
            yield _checked(request)


def _checked(request: Any) -> Any:
    if isinstance(request, _Refused):
        raise request.error()
    return request
