"""Tracing is on where the standard variables say so, and never holds work up."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import time

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.spans import SLOW_SECONDS, slow_span, span
from maie_core.trace_context import context_of, span_context_of, traceparent_of, within
from maie_core.tracing import OncePerMessage, is_tracing_on, open_tracing
from tests.collector import collecting, tracing_variables
from tests.conftest import free_port
from tests.waiting import PATIENCE_SECONDS

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"}
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OFF = """
import asyncio, sys
from maie_core.tracing import open_tracing
async def main():
    async with open_tracing(service="x", instance="x", version="1") as provider:
        with provider.get_tracer("x").start_as_current_span("y") as span:
            assert not span.is_recording()
asyncio.run(main())
loaded = [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "grpc"))]
assert not loaded, loaded
"""


@pytest.mark.unit
@pytest.mark.parametrize(
    ("environment", "on"),
    [
        ({}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4317"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, False),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "false"}, True),
        (ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, True),
    ],
)
def test_the_standard_variables_turn_it_on(environment: dict[str, str], on: bool) -> None:
    assert is_tracing_on(environment) is on


@pytest.mark.unit
@pytest.mark.parametrize(
    "environment",
    [
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
        ENDPOINT | {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
    ],
)
def test_what_there_is_not_is_refused_in_one_sentence(environment: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="OTEL_") as refused:
        is_tracing_on(environment)
    assert "\n" not in str(refused.value)


@pytest.mark.unit
def test_off_imports_no_sdk() -> None:
    environment = {name: each for name, each in os.environ.items() if not name.startswith("OTEL_")}
    subprocess.run([sys.executable, "-c", OFF], env=environment, check=True)


@pytest.mark.unit
@pytest.mark.parametrize("rubbish", ["", "x", TRACEPARENT.upper(), f"ff{TRACEPARENT[2:]}"])
def test_a_trace_context_is_read_as_it_was_written(rubbish: str) -> None:
    named = span_context_of(TRACEPARENT)
    assert named is not None
    assert traceparent_of(named) == TRACEPARENT
    assert span_context_of(rubbish) is None
    assert context_of(rubbish) == {}


@pytest.mark.mesh
async def test_spans_come_with_their_process_and_errors_without_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with collecting() as collector:
        for name, value in tracing_variables(collector).items():
            monkeypatch.setenv(name, value)
        async with open_tracing(service="asr", instance="asr-1", version="1.2") as provider:
            tracer = provider.get_tracer("test")
            with within(TRACEPARENT), pytest.raises(StageError), span(tracer, "work"):
                raise StageError(Code.INTERNAL, Reason.ENGINE_FAILED, "What somebody said.")
            with pytest.raises(asyncio.CancelledError), span(tracer, "stopped"):
                raise asyncio.CancelledError
        # The last spans are sent before the process ends.
        work, stopped = await collector.one("work"), await collector.one("stopped")
    assert (work.part, work.trace_id) == ("maie-asr", TRACEPARENT.split("-")[1])
    assert (work.failed, work.attributes) == (True, {"error.type": "ENGINE_FAILED"})
    assert (stopped.failed, stopped.attributes) == (False, {"maie.outcome": "cancelled"})
    assert "somebody" not in collector.words()


@pytest.mark.unit
async def test_what_is_quick_has_a_span_only_where_it_was_slow_or_failed() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with slow_span(tracer, "quick"):
        pass
    with slow_span(tracer, "slow"):
        await asyncio.sleep(SLOW_SECONDS * 2)
    with pytest.raises(ValueError, match="x"), slow_span(tracer, "failed"):
        raise ValueError("x")
    slow, failed = exporter.get_finished_spans()
    assert (slow.name, failed.name) == ("slow", "failed")
    assert (slow.end_time or 0) - (slow.start_time or 0) >= SLOW_SECONDS * 1e9
    assert (failed.attributes or {})["error.type"] == "ValueError"


@pytest.mark.mesh
async def test_a_sampler_of_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    async with collecting() as collector:
        for name, value in tracing_variables(collector).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
        async with open_tracing(service="asr", instance="asr-1", version="1.2") as provider:
            tracer = provider.get_tracer("test")
            with span(tracer, "dropped"):
                pass
            with within(TRACEPARENT), span(tracer, "kept"):
                pass
        assert [each.name for each in collector.spans] == ["kept"]


@pytest.mark.mesh
@pytest.mark.parametrize("silent", [True, False])
async def test_a_dead_collector_holds_nothing_up(
    silent: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that does not listen, and one that never answers."""
    async with collecting() as collector:
        collector.answering.clear()
        address = collector.address if silent else f"127.0.0.1:{free_port()}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{address}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        opened = open_tracing(service="asr", instance="asr-1", version="1", flush_seconds=0.5)
        with caplog.at_level(logging.WARNING):
            async with opened as provider:
                tracer = provider.get_tracer("test")
                for _ in range(20_000):  # ten times what its queue holds
                    with span(tracer, "work"):
                        pass
                    await asyncio.sleep(0)
                began = time.monotonic()
        assert time.monotonic() - began < PATIENCE_SECONDS
    # Thousands of spans are lost, and a line or two says so.
    assert len(caplog.records) < 10


@pytest.mark.unit
def test_a_message_is_logged_once_in_a_while() -> None:
    limit = OncePerMessage(1000)
    first, second = (
        logging.LogRecord("x", logging.ERROR, "x", 1, message, (count,), None)
        for count, message in enumerate(("lost %s", "failed %s"))
    )
    assert [limit.filter(each) for each in (first, first, second, first)] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.unit
def test_log_lines_have_the_ids_of_their_trace() -> None:
    code = f"""
import structlog, logging
from maie_core.settings import MeshSettings
from maie_core.telemetry import configure_logging
from maie_core.trace_context import within
configure_logging(MeshSettings(), "asr")
structlog.get_logger().info("before")
with within({TRACEPARENT!r}):
    structlog.get_logger().info("ours")
    logging.getLogger("library").warning("theirs")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, *within_trace = (json.loads(line) for line in done.stderr.splitlines())
    assert "trace_id" not in before
    assert {line["trace_id"] for line in within_trace} == {TRACEPARENT.split("-")[1]}
    assert len(within_trace) == 2
