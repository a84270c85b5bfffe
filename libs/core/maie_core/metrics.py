"""Metrics: OpenTelemetry instruments, served to Prometheus where a setting asks for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import structlog
from opentelemetry.metrics import Meter, MeterProvider, NoOpMeter, NoOpMeterProvider

from maie_core.otlp import check_otlp
from maie_core.process import process_attributes
from maie_core.settings import MeshSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader

log = structlog.get_logger()

# How long sending the last metrics may take.
SHUTDOWN_MS = 3000

NO_METER: Meter = NoOpMeterProvider().get_meter("maie")
"""Makes instruments that do nothing, for parts whose metrics are off or that nobody scrapes."""

CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
"""The buckets of what takes milliseconds to minutes, such as a call."""
WORK_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400)
"""The buckets of work that takes seconds to hours, such as a unit or a job."""


def is_on(meter: Meter) -> bool:
    """Whether what a meter makes does anything, so that what only feeds it may be left out."""
    return not isinstance(meter, NoOpMeter)


OTHER = "other"
"""The label of everything beyond a limit; see `Capped`."""


class Capped:
    """The first so many values of a label; `other` stands for all that come later.

    So thousands of tenants do not make thousands of time series. Which values have a label of
    their own is decided in each process by what it sees first, and stays until it ends.

    Args:
        most: How many values have a label of their own.

    Attributes:
        known: These values so far.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.known: set[str] = set()

    def __call__(self, value: str) -> str:
        """The label for a value."""
        if value not in self.known:
            if len(self.known) >= self._most:
                return OTHER
            self.known.add(value)
        return value


def is_sent(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether OTEL_METRICS_EXPORTER asks for metrics by OTLP.

    Raises:
        ValueError: It asks for an exporter that there is not, or where and how to send them cannot
            be used.
    """
    wanted = environment.get("OTEL_METRICS_EXPORTER", "").strip().lower()
    if wanted not in ("", "none", "otlp"):
        raise ValueError(
            f"OTEL_METRICS_EXPORTER is {wanted!r}, and there are otlp and none; for Prometheus, "
            "set MAIE_METRICS_LISTEN."
        )
    if wanted == "otlp":
        check_otlp(environment, "METRICS")
    return wanted == "otlp"


@asynccontextmanager
async def open_metrics(
    settings: MeshSettings, *, service: str, instance: str, version: str
) -> AsyncIterator[MeterProvider]:
    """A process's meter provider, which is passed down to whatever makes instruments.

    While the context lasts, the metrics are served at http://`metrics_listen`/metrics, together
    with the process's own memory, CPU time and open files. With OTEL_METRICS_EXPORTER=otlp they are
    also sent every minute (OTEL_METRIC_EXPORT_INTERVAL, in milliseconds). Where nobody asks for
    them, instruments do nothing. Callbacks of observable instruments run in other threads.

    Args:
        settings: The settings of the mesh.
        service: The part's name, such as "gateway" or "asr".
        instance: The process's name, unique in the mesh.
        version: The version of the part.

    Raises:
        RuntimeError: The address cannot be listened on.
        ValueError: As `is_sent`.
    """
    readers: list[MetricReader] = []
    async with AsyncExitStack() as stack:
        if settings.metrics_listen:
            readers.append(stack.enter_context(_served(settings.metrics_listen)))
        if is_sent():
            readers.append(_sender())
        if not readers:
            yield NoOpMeterProvider()
            return
        from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
        from opentelemetry.sdk.resources import Resource

        resource = Resource.create(process_attributes(service, instance, version))
        provider = SdkMeterProvider(readers, resource, shutdown_on_exit=False)
        try:
            yield provider
        finally:
            # In a thread, since a collector may not answer.
            await asyncio.to_thread(provider.shutdown, SHUTDOWN_MS)


@contextmanager
def _served(listen: str) -> Iterator[MetricReader]:
    """A reader whose metrics are served while the context lasts."""
    # Not imported before, since it takes half a second and 18 MB.
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

    host, _, port = listen.rpartition(":")
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    reader = PrometheusMetricReader(registry=registry)
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry)
    except (OSError, OverflowError) as error:
        raise RuntimeError(
            f"MAIE_METRICS_LISTEN: {listen} cannot be listened on ({error}). "
            "Free the port, or set another address."
        ) from error
    log.info("metrics.ready", address=f"{host}:{server.server_port}")
    try:
        yield reader
    finally:
        # It answers its last request first.
        server.shutdown()
        thread.join()
        server.server_close()


def _sender() -> MetricReader:
    """A reader that sends metrics by OTLP, as the standard OTEL_* variables say."""
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    return PeriodicExportingMetricReader(OTLPMetricExporter())
