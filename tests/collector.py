"""A collector of traces: a real OTLP service that keeps what it gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service_grpc
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.waiting import until

KINDS = trace_pb2.Span.SpanKind


@dataclass(kw_only=True, frozen=True)
class Seen:
    """A span that a collector got.

    Attributes:
        part: The process that made it: its `service.name`.
        links: The ids of the spans that it follows.
    """

    name: str
    part: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    attributes: dict[str, Any]
    links: tuple[str, ...]
    start: int
    end: int
    failed: bool
    raw: trace_pb2.Span = field(repr=False)

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / 1e9


@dataclass
class Collector(service_grpc.TraceServiceServicer):
    """Keeps spans, unless `keeps` is false; answers only while `answering` is set."""

    address: str = ""
    spans: list[Seen] = field(default_factory=list)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    keeps: bool = True

    async def Export(
        self, request: service.ExportTraceServiceRequest, context: Any
    ) -> service.ExportTraceServiceResponse:
        await self.answering.wait()
        for resource in request.resource_spans if self.keeps else ():
            part = _plain(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self.spans += [_seen(part, span) for span in scope.spans]
        return service.ExportTraceServiceResponse()

    def named(self, name: str, **attributes: Any) -> list[Seen]:
        """The spans with this name and these attributes; a dot is written as two underscores."""
        wanted = {key.replace("__", "."): value for key, value in attributes.items()}
        return [
            span
            for span in self.spans
            if span.name == name and wanted.items() <= span.attributes.items()
        ]

    async def one(self, name: str, **attributes: Any) -> Seen:
        """Waits for the one span with this name and these attributes."""
        found = await until(lambda: self.named(name, **attributes))
        assert len(found) == 1, found
        return found[0]

    def children(self, of: Seen) -> list[Seen]:
        return sorted(
            (span for span in self.spans if span.parent_id == of.span_id),
            key=lambda span: span.start,
        )

    def tree(self, *of: Seen, left_out: tuple[str, ...] = ()) -> list[str]:
        """The spans beneath these as indented lines, alike siblings as one, by name."""
        groups: dict[str, list[Seen]] = {}
        for parent in of:
            for child in self.children(parent):
                if not child.name.startswith(left_out):
                    label = f"{child.part.removeprefix('maie-')}: {child.name}"
                    groups.setdefault(label, []).append(child)
        lines = []
        for label, alike in sorted(groups.items()):
            lines.append(label)
            lines += [f"  {line}" for line in self.tree(*alike, left_out=left_out)]
        return lines

    def words(self) -> str:
        """Everything that any span says, to be searched."""
        return "\n".join(str(span.raw) for span in self.spans)


def _seen(part: str, span: trace_pb2.Span) -> Seen:
    return Seen(
        name=span.name,
        part=part,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=KINDS.Name(span.kind).removeprefix("SPAN_KIND_"),
        attributes=_plain(span.attributes),
        links=tuple(link.span_id.hex() for link in span.links),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        raw=span,
    )


def _plain(attributes: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in attributes}


def _value(value: common_pb2.AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple(_value(each) for each in value.array_value.values)
    return getattr(value, kind) if kind else None


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector at a free port."""
    server, collector = grpc.aio.server(), Collector()
    collector.answering.set()
    service_grpc.add_TraceServiceServicer_to_server(collector, server)
    collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        collector.answering.set()
        await server.stop(0)


def tracing_variables(collector: Collector) -> dict[str, str]:
    """The variables with which a process sends its traces to a collector, soon."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.address}",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
