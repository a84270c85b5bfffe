"""Structured logs, which never contain transcript text, audio or secrets."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog
from opentelemetry import trace

from maie_core.settings import MeshSettings

# Local variables would put transcripts into the log.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


class LossyStream:
    """Drops lines that cannot be written, such as on a full disk, so that no work fails.

    Args:
        stream: The target stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes the text, if possible."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes the stream, if possible."""
        with suppress(OSError):
            self._stream.flush()


def configure_logging(settings: MeshSettings, service: str) -> None:
    """Writes every log line to standard error, as JSON or readable text.

    Job, unit, attempt and tenant come from structlog's context variables, the ids of trace and
    span from OpenTelemetry's.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            *([_TRACEBACKS] if settings.log_format == "json" else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, LossyStream(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    _route_standard_logging(shared, renderer)
    structlog.contextvars.bind_contextvars(service=service)


def _add_trace(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Adds the trace that the work belongs to, and the span where one is recorded."""
    span = trace.get_current_span()
    named = span.get_span_context()
    if named.is_valid:
        line["trace_id"] = f"{named.trace_id:032x}"
        if span.is_recording():
            line["span_id"] = f"{named.span_id:016x}"
    return line


def _route_standard_logging(
    shared: list[structlog.typing.Processor], renderer: structlog.typing.Processor
) -> None:
    """Formats the warnings of libraries, which use the standard module, like maie's own."""
    handler = logging.StreamHandler(LossyStream(sys.stderr))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
