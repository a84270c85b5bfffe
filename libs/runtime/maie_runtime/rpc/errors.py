"""Maps StageError to google.rpc.Status for every gRPC server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NoReturn

import grpc
import structlog
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.recent_count import RecentCount
from maie_runtime.rpc.handlers import Handler, HandlerInterceptor, wrapped

log = structlog.get_logger()

ERROR_DOMAIN = "maie"
LIMIT_KEY = "limit"
"""The key of the metadata of an ErrorInfo that names the limit which was reached."""
RETRY_UNAVAILABLE = timedelta(seconds=1)
"""When to try again what is UNAVAILABLE and does not say when by itself."""
OFFSET_KEY = "offset_bytes"
"""The key of the metadata of an ErrorInfo that says where to go on with a resumable upload."""
DETAILS_KEY = "grpc-status-details-bin"
Metadata = tuple[tuple[str, bytes], ...]
_FAULTS = frozenset({Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS})
_STATUS = {code.value[0]: code for code in grpc.StatusCode}


def to_status(error: StageError) -> status_pb2.Status:
    """The status with ErrorInfo, and RetryInfo or BadRequest if they apply."""
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=ERROR_DOMAIN)
    if error.limit is not None:
        info.metadata[LIMIT_KEY] = error.limit
    if error.offset_bytes is not None:
        info.metadata[OFFSET_KEY] = str(error.offset_bytes)
    details: list[Any] = [info]
    retry_after = error.retry_after
    if retry_after is None and error.code is Code.UNAVAILABLE:
        retry_after = RETRY_UNAVAILABLE
    if retry_after is not None:
        delay = Duration()
        delay.FromTimedelta(retry_after)
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
    """Ends a call with the error and its details, and returns once these are sent."""
    try:
        await context.abort(_STATUS[error.code], error.message, trailing_metadata=_details(error))
    except grpc.aio.InternalError as unsent:
        # The caller has left; gRPC would log it as a failure of its own.
        raise asyncio.CancelledError from unsent
    raise AssertionError("abort always raises")


def _details(error: StageError) -> Metadata:
    return ((DETAILS_KEY, to_status(error).SerializeToString()),)


class ErrorInterceptor(HandlerInterceptor):
    """Turns handlers' exceptions into statuses, for all four kinds of RPC.

    Args:
        faults: Counts those that are a fault of the mesh.
    """

    def __init__(self, faults: RecentCount) -> None:
        self._faults = faults

    def around_handler(self, path: str, handler: Handler) -> Handler:
        """See `HandlerInterceptor`."""
        return wrapped(handler, self._errors)

    @asynccontextmanager
    async def _errors(self, context: Any) -> AsyncIterator[None]:
        try:
            yield
        except (asyncio.CancelledError, grpc.aio.AbortError, grpc.aio.BaseError):
            raise
        except Exception as error:
            if context.done():
                # Its status is on the way already.
                raise asyncio.CancelledError from error
            if not isinstance(error, StageError) or error.code in _FAULTS:
                self._faults.note()
            _end(context, _known(error))


def _known(error: Exception) -> StageError:
    if isinstance(error, StageError):
        return error
    # The caller gets no internal details.
    log.error("grpc.unexpected_error", exc_info=error)
    return StageError(
        Code.INTERNAL,
        Reason.INTERNAL,
        "Something went wrong inside the service; its log has the details.",
    )


def _end(context: Any, error: StageError) -> None:
    """Sets how a call ends once its handler has returned.

    `abort` would leave the call's frames and objects in a cycle, a hundred of them, since gRPC
    keeps the exception that it raises. Of many refused calls, these would halt all others while
    they are collected.
    """
    context.set_code(_STATUS[error.code])
    context.set_details(error.message)
    context.set_trailing_metadata(_details(error))
