"""Rate, errors and duration of each RPC that a server answers, in the conventions' names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import grpc
from opentelemetry.metrics import Meter

from maie_core.metrics import CALL_SECONDS
from maie_runtime.rpc.handlers import HEALTH, Handler, HandlerInterceptor, wrapped

# Semantic conventions 1.45, "rpc.method".
UNKNOWN_METHOD = "_OTHER"
# A client's deadline passes there a moment before it does here.
DEADLINE_MARGIN_SECONDS = 0.05


class MetricsInterceptor(HandlerInterceptor):
    """Measures all calls but those of the health service.

    A method that the server does not have counts as `_OTHER`, whatever it is called.

    Args:
        meter: Makes `rpc.server.call.duration`.
    """

    def __init__(self, meter: Meter) -> None:
        self._duration = meter.create_histogram(
            "rpc.server.call.duration",
            unit="s",
            description="How long calls took, by method and status; a stream's from its first "
            "message to its end. Unknown methods are one, `_OTHER`.",
            explicit_bucket_boundaries_advisory=CALL_SECONDS,
        )

    def around_handler(self, path: str, handler: Handler) -> Handler:
        """See `HandlerInterceptor`."""
        if path.startswith(HEALTH):
            return handler
        return wrapped(handler, self._around(path.lstrip("/")))

    def note_missing(self, path: str) -> None:
        """See `HandlerInterceptor`."""
        if not path.startswith(HEALTH):
            self._record(UNKNOWN_METHOD, grpc.StatusCode.UNIMPLEMENTED.name, 0.0)

    def _around(self, method: str) -> Callable[[Any], AbstractAsyncContextManager[None]]:
        @asynccontextmanager
        async def measured(context: Any) -> AsyncIterator[None]:
            began, status = time.monotonic(), "OK"
            try:
                yield
                status = _stated(context).name
            except BaseException as error:
                status = _status(error, context).name
                raise
            finally:
                self._record(method, status, time.monotonic() - began)

        return measured

    def _record(self, method: str, status: str, seconds: float) -> None:
        self._duration.record(
            seconds,
            {
                "rpc.system.name": "grpc",
                "rpc.method": method,
                "rpc.response.status_code": status,
            },
        )


def _status(error: BaseException, context: Any) -> grpc.StatusCode:
    """The status of a call that ended with an exception."""
    if isinstance(error, grpc.aio.AbortError):
        return _stated(context)
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        left = context.time_remaining()
        is_late = left is not None and left <= DEADLINE_MARGIN_SECONDS
        return grpc.StatusCode.DEADLINE_EXCEEDED if is_late else grpc.StatusCode.CANCELLED
    return grpc.StatusCode.UNKNOWN


def _stated(context: Any) -> grpc.StatusCode:
    """The status that was set for a call; OK where none was."""
    code: grpc.StatusCode | None = context.code()
    return code or grpc.StatusCode.OK
