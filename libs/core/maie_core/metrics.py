"""Metrics: OpenTelemetry instruments, served to Prometheus where a setting asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider

from maie_core.settings import MeshSettings

log = structlog.get_logger()


@asynccontextmanager
async def open_metrics(
    settings: MeshSettings, *, service: str, instance: str, version: str
) -> AsyncIterator[MeterProvider]:
    """A process's meter provider, which is passed down to whatever makes instruments.

    While the context lasts, the metrics are served at http://`metrics_listen`/metrics, together
    with the process's own memory, CPU time and open files. Where the setting is empty, instruments
    do nothing. Callbacks of observable instruments run in threads of the HTTP server.

    Args:
        settings: The settings of the mesh.
        service: The part's name, such as "gateway" or "asr".
        instance: The process's name, unique in the mesh.
        version: The version of the part.

    Raises:
        RuntimeError: The address cannot be listened on.
    """
    if not settings.metrics_listen:
        yield NoOpMeterProvider()
        return
    # Not imported before, since it takes half a second and 18 MB.
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
    from opentelemetry.sdk.resources import Resource
    from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

    host, _, port = settings.metrics_listen.rpartition(":")
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    resource = Resource.create(
        {
            "service.namespace": "maie",
            "service.name": f"maie-{service}",
            "service.instance.id": instance,
            "service.version": version,
        }
    )
    provider = SdkMeterProvider(
        metric_readers=[PrometheusMetricReader(registry=registry)],
        resource=resource,
        shutdown_on_exit=False,
    )
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry)
    except (OSError, OverflowError) as error:
        raise RuntimeError(
            f"MAIE_METRICS_LISTEN: {settings.metrics_listen} cannot be listened on ({error}). "
            "Free the port, or set another address."
        ) from error
    log.info("metrics.ready", address=f"{host}:{server.server_port}")
    try:
        yield provider
    finally:
        # It answers its last request first.
        await asyncio.to_thread(server.shutdown)
        await asyncio.to_thread(thread.join)
        server.server_close()
        provider.shutdown()
