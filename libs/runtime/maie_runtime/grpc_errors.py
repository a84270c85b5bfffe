"""StageError as google.rpc.Status, in one place for every gRPC server."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc
import structlog
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from maie_runtime.errors import Code, StageError

log = structlog.get_logger()

ERROR_DOMAIN = "maie"
DETAILS_KEY = "grpc-status-details-bin"
_STATUS = {code.value[0]: code for code in grpc.StatusCode}


def to_status(error: StageError) -> status_pb2.Status:
    """The error with its ErrorInfo, and RetryInfo or BadRequest where they apply."""
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
    # Whatever it was, the caller hears nothing of our insides.
    log.error("grpc.unexpected_error", exc_info=error)
    await abort(
        context,
        StageError(
            Code.INTERNAL,
            "INTERNAL",
            "Something went wrong inside the service; its log has the details.",
        ),
    )


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Turns what handlers raise into statuses, for all four kinds of RPC."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the handler that answers the call."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        if handler.response_streaming:
            name = "stream_stream" if handler.request_streaming else "unary_stream"
            call = getattr(handler, name)
            # A handler may also write to its context, as health's Watch does.
            writes = inspect.iscoroutinefunction(call)
            return handler._replace(**{name: _unary(call) if writes else _streaming(call)})
        name = "stream_unary" if handler.request_streaming else "unary_unary"
        return handler._replace(**{name: _unary(getattr(handler, name))})


def _unary(call: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def answer(request: Any, context: Any) -> Any:
        try:
            return await call(request, context)
        except (asyncio.CancelledError, grpc.aio.AbortError, grpc.aio.BaseError):
            raise
        except Exception as error:  # noqa: BLE001 - the last line of defence
            await _abort_with(context, error)

    return answer


def _streaming(
    call: Callable[[Any, Any], AsyncIterator[Any]],
) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def answer(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            async for response in call(request, context):
                yield response
        except (asyncio.CancelledError, grpc.aio.AbortError, grpc.aio.BaseError):
            raise
        except Exception as error:  # noqa: BLE001 - the last line of defence
            await _abort_with(context, error)

    return answer
