"""Spans of a client's calls, where the application has OpenTelemetry, and trace context for all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider

from maie_client.errors import ClientError

Metadata = tuple[tuple[str, str], ...]


@contextmanager
def traced_call(
    request: type[Message], address: str, provider: TracerProvider | None = None
) -> Iterator[Metadata]:
    """A span around a call, by the conventions for RPC, and the metadata that carries it.

    Where no provider is set, the trace that the application is in, if any, is carried all the same.

    Args:
        request: The type of the method's requests, which no other method takes.
        address: HOST:PORT of the gateway.
        provider: Makes the span; unset: the provider that the application has set for all.
    """
    method = method_of(request)
    attributes = {"rpc.system.name": "grpc", "rpc.method": method, **_server(address)}
    span = (
        (provider or trace.get_tracer_provider())
        .get_tracer("maie_client")
        .start_span(method, kind=SpanKind.CLIENT, attributes=attributes)
    )
    code = "OK"
    try:
        yield _metadata(span)
    except ClientError as error:
        code = error.code.name
        raise
    except (asyncio.CancelledError, GeneratorExit):
        code = "CANCELLED"
        raise
    except BaseException:
        code = "UNKNOWN"
        raise
    finally:
        if span.is_recording():
            _end(span, code)


def method_of(request: type[Message]) -> str:
    """The full name of the method that takes these requests, such as "maie.v1.Service/Get"."""
    taken = cast(Descriptor, request.DESCRIPTOR)
    for service in taken.file.services_by_name.values():
        for method in service.methods:
            if method.input_type == taken:
                return f"{service.full_name}/{method.name}"
    raise LookupError(f"No method takes {taken.full_name}.")


def _end(span: Span, code: str) -> None:
    span.set_attribute("rpc.response.status_code", code)
    if code != "OK":
        span.set_attribute("error.type", code)
        span.set_status(StatusCode.ERROR)
    span.end()


def _metadata(span: Span) -> Metadata:
    named = span.get_span_context()
    if not named.is_valid:
        return ()
    ids = f"{named.trace_id:032x}-{named.span_id:016x}-{named.trace_flags:02x}"
    return (("traceparent", f"00-{ids}"),)


def _server(address: str) -> dict[str, str | int]:
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdigit():
        return {"server.address": address}
    return {"server.address": host.strip("[]"), "server.port": int(port)}
