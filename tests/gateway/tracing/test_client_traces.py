"""The Python client takes part in the trace of an application that has OpenTelemetry."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.collector import Collector
from tests.gateway.conftest import EmptyMesh
from tests.gateway.tracing.test_job_traces import SUBMIT, finished

pytestmark = pytest.mark.mesh

APPLICATION = """
import asyncio, sys
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from maie_client import Client, ClientError

async def recording():
    yield b"not empty"

async def main():
    async with Client(sys.argv[1]) as client:
        with trace.get_tracer("app").start_as_current_span("application"):
            async for _ in client.process(recording(), features=["raw_transcript"]):
                pass
            try:
                await client.get_job("0199a000-7f31-7c11-8a54-0d5d4c1f0a11")
            except ClientError:
                pass

provider = TracerProvider(resource=Resource.create({"service.name": "app"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
asyncio.run(main())
provider.shutdown()
"""


async def test_calls_are_spans_of_the_application(
    empty_mesh: EmptyMesh, collector: Collector
) -> None:
    async with empty_mesh.running() as client:
        application = await asyncio.create_subprocess_exec(
            sys.executable, "-c", APPLICATION, client.address
        )
        assert await application.wait() == 0
        await finished(collector)
    (root,) = collector.named("application")
    sent, served = sorted(collector.named(SUBMIT), key=lambda span: span.start)
    assert (sent.part, sent.kind, sent.parent_id) == ("app", "CLIENT", root.span_id)
    assert (served.part, served.kind, served.parent_id) == ("maie-gateway", "SERVER", sent.span_id)
    assert sent.attributes == {
        "rpc.system.name": "grpc",
        "rpc.method": SUBMIT,
        "rpc.response.status_code": "OK",
        "server.address": "127.0.0.1",
        "server.port": int(client.address.rpartition(":")[2]),
    }
    failed = [span for span in collector.spans if span.name.endswith("/GetJob")]
    kinds = {span.kind: (span.attributes.get("error.type"), span.failed) for span in failed}
    # What is missing is an error of the caller, and none of the server.
    assert kinds == {"CLIENT": ("NOT_FOUND", True), "SERVER": (None, False)}
    assert {span.trace_id for span in collector.spans} == {root.trace_id}
