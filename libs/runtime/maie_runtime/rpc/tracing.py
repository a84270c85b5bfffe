"""Spans of RPCs, by OpenTelemetry's conventions 1.45, and trace context in metadata."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import grpc
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanKind, StatusCode, Tracer

from maie_core.attributes import ERROR_TYPE
from maie_core.errors import StageError
from maie_core.trace_context import TRACEPARENT, context_of, new_span_context, traceparent_of
from maie_runtime.rpc.handlers import Handler, HandlerInterceptor, wrapped
from maie_runtime.rpc.log_ids import sent_ids

Metadata = tuple[tuple[str, str], ...]

# Health checks come every second, and reflection belongs to no work.
INFRASTRUCTURE = "/grpc."
# A caller's deadline is over a little sooner than the server's, which began when the call came.
DEADLINE_SLACK_SECONDS = 0.25
STATUS_CODE = "rpc.response.status_code"
# Of a server, by the conventions for gRPC: the others are the caller's affair.
_SERVER_ERRORS = frozenset(
    code.name
    for code in (
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    )
)
_STATUS = {code.value[0]: code for code in grpc.StatusCode}


class TracingInterceptor(HandlerInterceptor):
    """Gives each call a span, which is the current one of its handler.

    A call without a trace of its caller's begins one. Where nothing is recorded, the trace still
    has an id, for log lines.

    Args:
        tracer: Makes the spans.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def around_handler(self, path: str, handler: Handler) -> Handler:
        """See `HandlerInterceptor`."""
        if path.startswith(INFRASTRUCTURE):
            return handler
        return wrapped(handler, partial(self._traced, path))

    @asynccontextmanager
    async def _traced(self, method: str, context: Any) -> AsyncIterator[None]:
        span = self._tracer.start_span(
            method[1:],
            context_of(_sent(context)),
            SpanKind.SERVER,
            _attributes(method),
        )
        if not span.get_span_context().is_valid:
            span = NonRecordingSpan(new_span_context())
        # Never detached: the call has a task of its own, and may be ended from another one.
        contexts.attach(trace.set_span_in_context(span))
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            end_span(span, _of_cancelled(context), _SERVER_ERRORS)
            raise
        except BaseException as error:
            # What is no abort becomes UNKNOWN.
            aborted = isinstance(error, grpc.aio.AbortError)
            end_span(span, _code(context) if aborted else "UNKNOWN", _SERVER_ERRORS)
            raise
        else:
            end_span(span, _code(context), _SERVER_ERRORS)


@contextmanager
def client_call(tracer: Tracer, method: str, address: str) -> Iterator[Metadata]:
    """A span around a call of another process, and the metadata that carries it and its job there.

    It is not the current span, so that an asynchronous generator can be around it.

    Args:
        tracer: Makes the span.
        method: The method's full name, such as "maie.asr.v1.AsrService/Transcribe".
        address: HOST:PORT of the other process.
    """
    span = tracer.start_span(
        method, kind=SpanKind.CLIENT, attributes=_attributes(f"/{method}") | _server(address)
    )
    code = "OK"
    try:
        yield (*metadata_of(span), *sent_ids())
    except (asyncio.CancelledError, GeneratorExit):
        code = "CANCELLED"
        raise
    except StageError as error:
        code = error.code.name
        raise
    except BaseException:
        code = "UNKNOWN"
        raise
    finally:
        end_span(span, code, errors=None)


def metadata_of(span: Span) -> Metadata:
    """What carries a span to another process."""
    traceparent = traceparent_of(span.get_span_context())
    return ((TRACEPARENT, traceparent),) if traceparent else ()


def end_span(span: Span, code: str, errors: frozenset[str] | None) -> None:
    """Ends a call's span.

    Args:
        span: The span.
        code: The call's status, such as "OK".
        errors: The codes that are errors; None for all but OK.
    """
    if span.is_recording():
        span.set_attribute(STATUS_CODE, code)
        if code in errors if errors is not None else code != "OK":
            span.set_attribute(ERROR_TYPE, code)
            span.set_status(StatusCode.ERROR)
        span.end()


def _sent(context: Any) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == TRACEPARENT and isinstance(value, str):
            return value
    return ""


def _attributes(method: str) -> dict[str, str | int]:
    return {"rpc.system.name": "grpc", "rpc.method": method[1:]}


def _server(address: str) -> dict[str, str | int]:
    host, _, port = address.rpartition(":")
    known: dict[str, str | int] = {"server.address": host.strip("[]") or address}
    return known | {"server.port": int(port)} if port.isdigit() else known


def _code(context: Any) -> str:
    """The status that a handler set; OK where it set none."""
    code = context.code()
    if isinstance(code, grpc.StatusCode):
        return code.name
    return _STATUS[code or 0].name


def _of_cancelled(context: Any) -> str:
    """Why a call was cancelled: its deadline, or its caller."""
    left = context.time_remaining()
    is_late = left is not None and left <= DEADLINE_SLACK_SECONDS
    return "DEADLINE_EXCEEDED" if is_late else "CANCELLED"
