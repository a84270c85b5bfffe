"""Spans of HTTP requests, by OpenTelemetry's conventions for HTTP 1.45.

OpenTelemetry's own instrumentation of ASGI records addresses with their queries, which may hold
what people search for, and a span for each message; here are neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from maie_core.attributes import ERROR_TYPE
from maie_core.trace_context import TRACEPARENT, context_of
from maie_web.routes.health import HEALTH, LIVENESS

METHOD, ROUTE = "http.request.method", "http.route"
STATUS_CODE = "http.response.status_code"
# Any other is of the caller's invention, and would be a name of its own.
METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)
OTHER = "_OTHER"
# What probes ask every few seconds belongs to no work.
INFRASTRUCTURE = frozenset({HEALTH, LIVENESS})


class TracedApp:
    """The application; each request has a span, of which its calls of gateways are children.

    Where tracing is off, the trace of the caller is passed on all the same.

    Args:
        app: The application.
        tracer: Makes the spans.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request or a WebSocket."""
        if scope["path"] in INFRASTRUCTURE:
            await self._app(scope, receive, send)
            return
        method = _method(scope)
        span = self._tracer.start_span(
            method, context_of(_traceparent(scope)), SpanKind.SERVER, {METHOD: method}
        )

        async def noting(message: Message) -> None:
            if (status := _status(message)) is not None:
                _note_status(span, status)
            await send(message)

        token = contexts.attach(trace.set_span_in_context(span))
        try:
            await self._app(scope, receive, noting)
        finally:
            contexts.detach(token)
            # The router adds it to the scope.
            if route := scope.get("path_template"):
                span.update_name(f"{method} {route}")
                span.set_attribute(ROUTE, str(route))
            span.end()


def _method(scope: Mapping[str, Any]) -> str:
    # The handshake of a WebSocket is a GET.
    method = scope.get("method", "GET")
    return method if method in METHODS else OTHER


def _traceparent(scope: Mapping[str, Any]) -> str:
    wanted = TRACEPARENT.encode()
    found: list[bytes] = [value for name, value in scope["headers"] if name == wanted]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def _status(message: Message) -> int | None:
    match message["type"]:
        case "http.response.start":
            return int(message["status"])
        case "websocket.accept":
            return HTTPStatus.SWITCHING_PROTOCOLS
    return None


def _note_status(span: Span, status: int) -> None:
    span.set_attribute(STATUS_CODE, int(status))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.set_attribute(ERROR_TYPE, str(int(status)))
        span.set_status(StatusCode.ERROR)
