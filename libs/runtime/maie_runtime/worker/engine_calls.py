"""The calls of an engine for one piece of work: their spans, and how long they took together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.trace import NoOpTracer, Span, SpanKind, Tracer

from maie_core.spans import Attributes, note_error


class EngineCalls:
    """Counts the time in which at least one call runs.

    Args:
        tracer: Makes a span of each call.
    """

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer or NoOpTracer()
        self._running = 0
        self._since = 0.0
        self._seconds = 0.0

    @property
    def seconds(self) -> float:
        """How long the engine has worked."""
        return self._seconds + (time.monotonic() - self._since if self._running else 0.0)

    @contextmanager
    def call(self, name: str, attributes: Attributes | None, kind: SpanKind) -> Iterator[Span]:
        """One call. Its span is not the current one: see `engine_call`."""
        span = self._tracer.start_span(name, kind=kind, attributes=attributes)
        self._begin()
        try:
            yield span
        except BaseException as error:
            note_error(span, error)
            raise
        finally:
            self._end()
            span.end()

    def _begin(self) -> None:
        if not self._running:
            self._since = time.monotonic()
        self._running += 1

    def _end(self) -> None:
        self._running -= 1
        if not self._running:
            self._seconds += time.monotonic() - self._since


_current: ContextVar[EngineCalls] = ContextVar("engine_calls")


def count_engine_calls(calls: EngineCalls) -> None:
    """Counts the engine calls of the current task, and of those that it starts, from now on."""
    _current.set(calls)


@contextmanager
def engine_call(
    name: str, attributes: Attributes | None = None, *, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Span]:
    """A call of the engine, for the work of the current task; its time counts as the engine's.

    It may be around the `yield` of an asynchronous generator, since it is not the current span.

    Args:
        name: The span's name, such as "maie.asr.read".
        attributes: What is known at its start; no text, and nothing that a client named.
        kind: CLIENT where the engine is another process.
    """
    with (_current.get(None) or EngineCalls()).call(name, attributes, kind) as span:
        yield span
