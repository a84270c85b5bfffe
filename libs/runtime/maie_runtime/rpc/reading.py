"""Reads requests: what is too large, or no message of the RPC, is an error of the call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_runtime.rpc.handlers import Handler, HandlerInterceptor, answers_by_writing, method_of


@dataclass(frozen=True, slots=True)
class _Refused:
    """Replaces a message that could not be parsed."""

    error: StageError


_UNREADABLE = _Refused(
    invalid(
        Reason.REQUEST_UNREADABLE,
        "The request is not the message that this method takes; make the client from the same "
        "version of the contract.",
    )
)


class ReadingInterceptor(HandlerInterceptor):
    """Calls handlers with parsed messages only; the innermost interceptor.

    A message that cannot be parsed is INVALID_ARGUMENT with REQUEST_UNREADABLE, for those who
    may make the call at all.

    Args:
        max_request_bytes: The largest message of a call with one request; a
            larger one is INVALID_ARGUMENT with REQUEST_TOO_LARGE, and is not
            parsed.
    """

    def __init__(self, max_request_bytes: int) -> None:
        self._max_request_bytes = max_request_bytes

    def around_handler(self, path: str, handler: Handler) -> Handler:
        """See `HandlerInterceptor`."""
        # A deserializer's exception would end the call as UNKNOWN, with the name of its class.
        limit = None if handler.request_streaming else self._max_request_bytes
        read = _tolerant(handler.request_deserializer, limit)
        call = {method_of(handler): _readable(handler)}
        return handler._replace(request_deserializer=read, **call)


def _tolerant(deserialize: Callable[[bytes], Any], max_bytes: int | None) -> Callable[[bytes], Any]:
    def read(data: bytes) -> Any:
        if max_bytes is not None and len(data) > max_bytes:
            return _Refused(
                invalid(
                    Reason.REQUEST_TOO_LARGE,
                    f"A request of {len(data)} bytes is more than {max_bytes}; ask for less at a "
                    "time.",
                )
            )
        try:
            return deserialize(data)
        except DecodeError:
            return _UNREADABLE

    return read


def _readable(handler: Handler) -> Callable[[Any, Any], Any]:
    """The handler's function, called only with parsed messages."""
    call = getattr(handler, method_of(handler))

    def answer(request: Any, context: Any) -> Any:
        return call(_each(request) if handler.request_streaming else _checked(request), context)

    async def write_answers(request: Any, context: Any) -> None:
        await answer(request, context)

    return write_answers if answers_by_writing(handler) else answer


async def _each(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request)


def _checked(request: Any) -> Any:
    if isinstance(request, _Refused):
        raise request.error
    return request
