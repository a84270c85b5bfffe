"""Metrics are sent by OTLP where the standard variables ask for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as otlp

from maie_core.metrics import is_sent, open_metrics
from maie_core.settings import MeshSettings

pytestmark = pytest.mark.unit

PART = {"service": "asr", "instance": "asr-1", "version": "0.1.0"}


@asynccontextmanager
async def collector(got: list[otlp.ExportMetricsServiceRequest]) -> AsyncIterator[str]:
    """A server that takes metrics; gives its address."""

    async def export(request: otlp.ExportMetricsServiceRequest, _: Any) -> Any:
        got.append(request)
        return otlp.ExportMetricsServiceResponse()

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        export,
        otlp.ExportMetricsServiceRequest.FromString,
        otlp.ExportMetricsServiceResponse.SerializeToString,
    )
    service = "opentelemetry.proto.collector.metrics.v1.MetricsService"
    server.add_registered_method_handlers(service, {"Export": handler})
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)


async def test_what_was_counted_last_arrives_when_the_process_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    got: list[otlp.ExportMetricsServiceRequest] = []
    async with collector(got) as address:
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "otlp")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{address}")
        async with open_metrics(MeshSettings(), **PART) as meters:
            meters.get_meter("test").create_counter("maie.test").add(3)
        (resource,) = got[-1].resource_metrics
    of = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert (of["service.name"], of["service.instance.id"]) == ("maie-asr", "asr-1")
    (metric,) = resource.scope_metrics[0].metrics
    assert (metric.name, metric.sum.data_points[0].as_int) == ("maie.test", 3)


async def test_nothing_is_sent_or_imported_where_nobody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OTEL_METRICS_EXPORTER", raising=False)
    async with open_metrics(MeshSettings(), **PART) as meters:
        assert isinstance(meters, NoOpMeterProvider)


def test_an_exporter_that_there_is_not_is_refused() -> None:
    assert not is_sent({"OTEL_METRICS_EXPORTER": "none"})
    with pytest.raises(ValueError, match="set MAIE_METRICS_LISTEN"):
        is_sent({"OTEL_METRICS_EXPORTER": "prometheus"})
