"""Structured logs, which never contain transcript text, audio or secrets."""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import TextIO, cast

import structlog
from opentelemetry import trace

from maie_core.redaction import Redactor, environment_redactor
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
    span from OpenTelemetry's. Secrets of the environment are left out, also where a library names
    them. An error that ends the process is a line as well.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    redacting = _Redacting(environment_redactor())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            *([_TRACEBACKS] if settings.log_format == "json" else []),
            renderer,
            redacting,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, LossyStream(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    _route_standard_logging(shared, renderer, redacting)
    _log_crashes()
    structlog.contextvars.bind_contextvars(service=service)


class _Redacting:
    """Takes secrets out of a line that is ready to be written."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _: object, __: str, line: object) -> str:
        return self._redactor(str(line))


def _log_crashes() -> None:
    """Logs errors that end the process or a thread; Python would print them with all they say."""

    def crashed(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if not issubclass(kind, Exception):  # such as Ctrl-C
            sys.__excepthook__(kind, error, traceback)
            return
        structlog.get_logger().critical(
            "process.crashed", error=f"{kind.__name__}: {error}", exc_info=(kind, error, traceback)
        )

    def thread_crashed(thread: threading.ExceptHookArgs) -> None:
        if thread.exc_value is not None and thread.exc_type is not SystemExit:
            crashed(thread.exc_type, thread.exc_value, thread.exc_traceback)

    sys.excepthook = crashed
    threading.excepthook = thread_crashed


def add_trace(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Adds the trace that the work belongs to, and the span where one is recorded."""
    span = trace.get_current_span()
    named = span.get_span_context()
    if named.is_valid:
        line["trace_id"] = f"{named.trace_id:032x}"
        if span.is_recording():
            line["span_id"] = f"{named.span_id:016x}"
    return line


def _route_standard_logging(
    shared: list[structlog.typing.Processor],
    renderer: structlog.typing.Processor,
    redacting: structlog.typing.Processor,
) -> None:
    """Formats the warnings of libraries, which use the standard module, like maie's own."""
    handler = logging.StreamHandler(LossyStream(sys.stderr))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                renderer,
                redacting,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
