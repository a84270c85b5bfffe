"""Spans around work. Their errors have a type and no message, which could hold what was said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer

from maie_core.attributes import ERROR_TYPE, OUTCOME
from maie_core.errors import StageError

Value = str | bool | int | float
Attributes = Mapping[str, Value]
SLOW_SECONDS = 0.005
"""What takes less has no `slow_span`: a span costs some 0.1 ms, with sending it."""
# What became of a piece of work that did not fail.
CANCELLED, COMPLETED, GIVEN_BACK = "cancelled", "completed", "given back"


@contextmanager
def span(
    tracer: Tracer,
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    links: Sequence[Link] = (),
    start_time: int | None = None,
) -> Iterator[Span]:
    """A span around what the context does, and the current one within it.

    Not around the `yield` of an asynchronous generator: its caller would be within it as well.

    Args:
        tracer: Makes the span.
        name: Its name, which is one of a few.
        attributes: What is known at its start.
        kind: Its kind.
        links: The spans that it follows without being their child.
        start_time: When it began, in nanoseconds since 1970; now where None.
    """
    with tracer.start_as_current_span(
        name,
        kind=kind,
        attributes=attributes,
        links=links,
        start_time=start_time,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except BaseException as error:
            note_error(made, error)
            raise


@contextmanager
def slow_span(tracer: Tracer, name: str, attributes: Attributes | None = None) -> Iterator[None]:
    """A span around what is quick nearly always: there is none unless it took long, or failed.

    It is not the current one within it.
    """
    begun, began = time.time_ns(), time.monotonic()
    error: BaseException | None = None
    try:
        yield
    except BaseException as raised:
        error = raised
        raise
    finally:
        if error is not None or time.monotonic() - began >= SLOW_SECONDS:
            made = tracer.start_span(name, attributes=attributes, start_time=begun)
            if error is not None:
                note_error(made, error)
            made.end()


def note_error(on: Span, error: BaseException) -> None:
    """Notes on a span why its work ended; a cancellation is no error."""
    if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
        on.set_attribute(OUTCOME, CANCELLED)
        return
    on.set_attribute(ERROR_TYPE, error_type(error))
    on.set_status(StatusCode.ERROR)


def error_type(error: BaseException) -> str:
    """The reason of an error of maie's, or the class of another one."""
    return error.reason.value if isinstance(error, StageError) else type(error).__name__
