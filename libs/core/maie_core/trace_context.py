"""W3C trace context: which trace a piece of work belongs to, carried as `traceparent`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

TRACEPARENT = "traceparent"
"""The key in gRPC metadata, and the name of the header in NATS and HTTP."""
# https://www.w3.org/TR/trace-context/#traceparent-header; ids of zeros and version ff are invalid.
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
)


def is_valid(traceparent: object) -> bool:
    """Whether it is a trace context that can be passed on."""
    return isinstance(traceparent, str) and _TRACEPARENT.fullmatch(traceparent) is not None


def span_context_of(traceparent: str) -> SpanContext | None:
    """The span that a trace context names; None where it is invalid or empty."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))


def context_of(traceparent: str) -> Context:
    """A context whose spans become children of the named one; an empty one where it is invalid."""
    named = span_context_of(traceparent)
    return trace.set_span_in_context(NonRecordingSpan(named), Context()) if named else Context()


def traceparent_of(span_context: SpanContext) -> str:
    """The trace context that names a span; empty for an invalid one."""
    if not span_context.is_valid:
        return ""
    trace_id, span_id = f"{span_context.trace_id:032x}", f"{span_context.span_id:016x}"
    return f"00-{trace_id}-{span_id}-{span_context.trace_flags:02x}"


def current_traceparent() -> str:
    """The trace context of the current span; empty where there is none."""
    return traceparent_of(trace.get_current_span().get_span_context())


def new_span_context() -> SpanContext:
    """A trace that nobody records, so that at least log lines can be told apart by it."""
    trace_id, span_id = secrets.randbits(128) or 1, secrets.randbits(64) or 1
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(0))


@contextmanager
def within(traceparent: str) -> Iterator[None]:
    """Work that belongs to a trace; where it is in that trace already, nothing changes."""
    named = span_context_of(traceparent)
    current = trace.get_current_span().get_span_context()
    if named is None or named.trace_id == current.trace_id:
        yield
        return
    token = contexts.attach(context_of(traceparent))
    try:
        yield
    finally:
        contexts.detach(token)
