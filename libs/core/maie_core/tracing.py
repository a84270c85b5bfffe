"""Traces: OpenTelemetry spans, sent by OTLP where the standard OTEL_* variables ask for it."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import structlog
from opentelemetry.trace import NoOpTracerProvider, TracerProvider

from maie_core.otlp import check_otlp
from maie_core.process import process_attributes

log = structlog.get_logger()

FLUSH_SECONDS = 5.0
"""The longest time for sending the last spans at the end of a process."""
# A collector that does not answer is reported this often, by each kind of message.
REPORT_SECONDS = 60.0
_LOGGERS = (
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.sdk._shared_internal",
)
DEFAULT_SAMPLER = "parentbased_always_on"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def is_tracing_on(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the standard variables ask for traces.

    Raises:
        ValueError: They ask for an exporter or a protocol that there is not, or cannot be used.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter not in ("", "otlp", "none"):
        raise ValueError(
            f"OTEL_TRACES_EXPORTER is {exporter!r}, and there are otlp and none; send OTLP to an "
            "OpenTelemetry collector, which passes traces on to everything else."
        )
    wanted = exporter == "otlp" or (not exporter and any(map(environment.get, _ENDPOINTS)))
    protocol = next(filter(None, map(environment.get, _PROTOCOLS)), "grpc").strip().lower()
    if wanted and protocol != "grpc":
        raise ValueError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}, and traces are sent by grpc; leave it "
            "unset and name the collector's gRPC port, which is 4317 by default."
        )
    if wanted:
        check_otlp(environment, "TRACES")
    return wanted


@asynccontextmanager
async def open_tracing(
    *, service: str, instance: str, version: str, flush_seconds: float = FLUSH_SECONDS
) -> AsyncIterator[TracerProvider]:
    """A process's tracer provider, which is passed down to whatever makes spans.

    Where the environment asks for no traces, spans do nothing and no SDK is imported. Otherwise
    ended spans wait in a bounded queue for a thread that sends them, so that no work waits for
    the collector; what does not fit is dropped.

    Args:
        service: The part's name, such as "gateway" or "asr".
        instance: The process's name, unique in the mesh.
        version: The version of the part.
        flush_seconds: How long sending the last spans may take.

    Raises:
        ValueError: As `is_tracing_on`.
    """
    if not is_tracing_on():
        yield NoOpTracerProvider()
        return
    # Not imported before, since it takes half a second and 20 MB.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    for name in _LOGGERS:
        logging.getLogger(name).addFilter(OncePerMessage(REPORT_SECONDS))
    exporter = OTLPSpanExporter()
    provider = SdkTracerProvider(
        resource=Resource.create(process_attributes(service, instance, version)),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    log.info(
        "tracing.ready", sampler=os.environ.get("OTEL_TRACES_SAMPLER", "parentbased_always_on")
    )
    try:
        yield provider
    finally:
        if not await _in_time(provider.shutdown, flush_seconds):
            log.warning("tracing.spans_lost", seconds=flush_seconds)
            exporter.shutdown()


async def _in_time(work: Callable[[], None], seconds: float) -> bool:
    """Does blocking work; False where it takes longer.

    In a thread of its own, which does not keep the process from ending.
    """
    done = threading.Event()

    def run() -> None:
        try:
            work()
        finally:
            done.set()

    threading.Thread(target=run, name="flush-spans", daemon=True).start()
    return await asyncio.to_thread(done.wait, seconds)


class OncePerMessage(logging.Filter):
    """Lets each message of a logger pass once in a while, whatever its arguments.

    Args:
        seconds: How long a message is left out after it passed.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._passed: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record passes."""
        now = time.monotonic()
        passes = now >= self._passed.get(record.msg, -self._seconds) + self._seconds
        if passes:
            self._passed[record.msg] = now
        return passes
