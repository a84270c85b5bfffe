"""Maps StageError to google.rpc.Status for every gRPC server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
import structlog
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_runtime.rpc.handlers import Handler, answers_by_writing, method_of, wrapped

log = structlog.get_logger()

ERROR_DOMAIN = "maie"
DETAILS_KEY = "grpc-status-details-bin"
_STATUS = {code.value[0]: code for code in grpc.StatusCode}


def to_status(error: StageError) -> status_pb2.Status:
    """The status with ErrorInfo, and RetryInfo or BadRequest if they apply."""
    details: list[Any] = [error_details_pb2.ErrorInfo(reason=error.reason, domain=ERROR_DOMAIN)]
    if error.retry_after is not None:
        delay = Duration()
        delay.FromTimedelta(error.retry_after)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=error.message, reason=error.reason
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    status = status_pb2.Status(code=error.code, message=error.message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: StageError) -> NoReturn:
    """Ends a call with the error and its details."""
    await context.abort(
        _STATUS[error.code],
        error.message,
        trailing_metadata=((DETAILS_KEY, to_status(error).SerializeToString()),),
    )
    raise AssertionError("abort always raises")


async def _abort_with(context: grpc.aio.ServicerContext[Any, Any], error: Exception) -> NoReturn:
    if isinstance(error, StageError):
        await abort(context, error)
    # The caller gets no internal details.
    log.error("grpc.unexpected_error", exc_info=error)
    await abort(
        context,
        StageError(
            Code.INTERNAL,
            Reason.INTERNAL,
            "Something went wrong inside the service; its log has the details.",
        ),
    )


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


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Turns handlers' exceptions into statuses, for all four kinds of RPC.

    A message that cannot be parsed is INVALID_ARGUMENT with REQUEST_UNREADABLE.

    Args:
        max_request_bytes: The largest message of a call with one request; a
            larger one is INVALID_ARGUMENT with REQUEST_TOO_LARGE, and is not
            parsed.
    """

    def __init__(self, max_request_bytes: int) -> None:
        self._max_request_bytes = max_request_bytes

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the handler of the call."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        # A deserializer's exception would end the call as UNKNOWN, with the name of its class.
        limit = None if handler.request_streaming else self._max_request_bytes
        read = _tolerant(handler.request_deserializer, limit)
        call = {method_of(handler): _readable(handler)}
        return wrapped(handler._replace(request_deserializer=read, **call), _errors)


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


@asynccontextmanager
async def _errors(context: Any) -> AsyncIterator[None]:
    try:
        yield
    except (asyncio.CancelledError, grpc.aio.AbortError, grpc.aio.BaseError):
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence
        await _abort_with(context, error)
