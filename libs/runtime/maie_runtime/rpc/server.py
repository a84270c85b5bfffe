"""A gRPC server with health, reflection and error mapping, for every maie process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from opentelemetry.metrics import Meter
from opentelemetry.trace import NoOpTracer, Tracer

from maie_core.limits import MAX_STAGE_REQUEST_BYTES
from maie_core.metrics import NO_METER, is_on
from maie_core.recent_count import RecentCount
from maie_runtime.rpc.auditing import AuditInterceptor, Auditor
from maie_runtime.rpc.callers.authenticator import Authenticator
from maie_runtime.rpc.callers.doors import check_declared, doors
from maie_runtime.rpc.callers.interceptor import CallerInterceptor
from maie_runtime.rpc.callers.running import RunningStreams
from maie_runtime.rpc.errors import ErrorInterceptor
from maie_runtime.rpc.messages import MessageInterceptor, Patience, StreamInterceptor
from maie_runtime.rpc.metrics import MetricsInterceptor
from maie_runtime.rpc.reflection import enable_reflection
from maie_runtime.rpc.tls import ServerTls
from maie_runtime.rpc.tracing import TracingInterceptor

log = structlog.get_logger()

KEEPALIVE_SECONDS = 20
PING_TIMEOUT_SECONDS = 10
MIN_CLIENT_PING_SECONDS = 10
# A connection that has not begun to speak gRPC by then ends: it holds a place and does nothing.
HANDSHAKE_SECONDS = 10
# gRPC knows no other bound on calls that have not been asked yet who makes them.
CALLS_OF_A_CONNECTION = 1024
# Calls that have come and are not begun yet, 16 KiB each. Of those over a thousand, gRPC would by
# default cancel some by chance, without a reason and before anything of ours sees them.
CALLS_NOT_BEGUN = 16 * CALLS_OF_A_CONNECTION
# The longest wait for calls that do not end when they are cancelled.
LEAVE_SECONDS = 5.0

_OPTIONS = (
    # A second server on the same port must fail, not share its calls.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_STAGE_REQUEST_BYTES),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
    # `keepalive_timeout_ms` has no effect; this detects a frozen peer.
    ("grpc.http2.ping_timeout_ms", PING_TIMEOUT_SECONDS * 1000),
    ("grpc.http2.min_ping_interval_without_data_ms", MIN_CLIENT_PING_SECONDS * 1000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.server_handshake_timeout_ms", HANDSHAKE_SECONDS * 1000),
    ("grpc.max_concurrent_streams", CALLS_OF_A_CONNECTION),
    # Calls that have ended and are not cleared away yet. Where there are more, gRPC refuses those
    # that waited on the client's side for a place with UNAVAILABLE; by default that is a few.
    ("grpc.http2.max_deallocating_streams", CALLS_OF_A_CONNECTION),
    ("grpc.server.max_pending_requests", CALLS_NOT_BEGUN),
    ("grpc.server.max_pending_requests_hard_limit", CALLS_NOT_BEGUN),
)
# Stages end calls of theirs that are not read: worker/call.py.
_PATIENCE = Patience()
_STATUS = {
    True: health_pb2.HealthCheckResponse.SERVING,
    False: health_pb2.HealthCheckResponse.NOT_SERVING,
}


@dataclass(kw_only=True, frozen=True, slots=True)
class Connections:
    """How many connections a server has, and for how long.

    Attributes:
        most: The most at a time; further ones are closed at once. None: any number.
        idle_seconds: One without a call is closed after this long. None: never.
        age_seconds: Its client is asked after about this long to connect again; calls that run go
            on to their end. None: never.
    """

    most: int | None = None
    idle_seconds: float | None = None
    age_seconds: float | None = None

    def options(self) -> Iterator[tuple[str, int]]:
        """The options of gRPC for it."""
        if self.most is not None:
            yield "grpc.max_allowed_incoming_connections", self.most
        if self.idle_seconds is not None:
            yield "grpc.max_connection_idle_ms", round(self.idle_seconds * 1000)
        if self.age_seconds is not None:
            yield "grpc.max_connection_age_ms", round(self.age_seconds * 1000)


# Other parts of the mesh keep theirs.
_ANY = Connections()


class GrpcServer:
    """A grpc.aio server that reports NOT_SERVING until `set_serving`.

    Args:
        listen: HOST:PORT; port 0 takes a free one.
        services: The full names of its services.
        max_request_bytes: The largest message of a call with one request.
        authenticators: Who tells its callers, of `doors`; the local user where unset.
        tls: How it uses TLS; unset: plain connections.
        meter: Makes the metrics of calls.
        tracer: Makes a span of each call.
        streams: Where its streams are noted, which end with their callers' credentials.
        auditor: Enters its calls in an audit log, also those that are refused.
        refusals: An interceptor that sees how calls are refused, also for their credentials.
        limits: An interceptor that limits calls whose caller is known.
        patience: How long it waits for callers to send requests and to read responses.
        connections: How many connections it has, and for how long.

    Attributes:
        server: The server, to add services before `start`.
        address: The server's HOST:PORT.
        faults: The calls within the last minutes that failed by a fault of the mesh.

    Raises:
        RuntimeError: The address is taken, nobody could call it, or an RPC has no scope.
    """

    def __init__(
        self,
        listen: str,
        services: tuple[str, ...],
        max_request_bytes: int = MAX_STAGE_REQUEST_BYTES,
        authenticators: Sequence[Authenticator] | None = None,
        tls: ServerTls | None = None,
        meter: Meter = NO_METER,
        tracer: Tracer | None = None,
        streams: RunningStreams | None = None,
        auditor: Auditor | None = None,
        refusals: grpc.aio.ServerInterceptor | None = None,
        limits: grpc.aio.ServerInterceptor | None = None,
        patience: Patience = _PATIENCE,
        connections: Connections = _ANY,
    ) -> None:
        check_declared(services)
        self.faults = RecentCount()
        known = doors(listen) if authenticators is None else authenticators
        callers = CallerInterceptor(known, streams)
        measuring = (MetricsInterceptor(meter),) if is_on(meter) else ()
        auditing = (AuditInterceptor(auditor),) if auditor else ()
        self.server = grpc.aio.server(
            # The outermost first.
            interceptors=(
                StreamInterceptor(),
                TracingInterceptor(tracer or NoOpTracer()),
                *measuring,
                ErrorInterceptor(self.faults),
                *auditing,
                *([refusals] if refusals else []),
                callers,
                *([limits] if limits else []),
                MessageInterceptor(max_request_bytes, patience),
            ),
            options=(*_OPTIONS, *connections.options()),
        )
        self._services = services
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.server)
        enable_reflection((*services, health.SERVICE_NAME), self.server)
        if tls is None:
            port = self.server.add_insecure_port(listen)
        else:
            port = self.server.add_secure_port(listen, tls.credentials())
        self.address = callers.server = f"{listen.rpartition(':')[0]}:{port}"

    async def start(self) -> None:
        """Starts answering calls; health reports NOT_SERVING."""
        await self.set_serving(False)
        await self.server.start()

    async def set_serving(self, serving: bool) -> None:
        """Sets the status of the health service."""
        for name in ("", *self._services):
            await self._health.set(name, _STATUS[serving])

    async def stop(self, grace: float) -> None:
        """Refuses new calls and gives running ones `grace` seconds; then abandons them."""
        await self._health.enter_graceful_shutdown()
        # Not asyncio.timeout: a cancellation in here can crash the process (grpcio 1.85).
        stopping = asyncio.ensure_future(self.server.stop(grace))
        await asyncio.wait({stopping}, timeout=grace + LEAVE_SECONDS)
        if not stopping.done():
            log.warning("service.calls_left")
