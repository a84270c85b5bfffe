"""A gRPC server with health, reflection and error mapping, as all of ours are."""

from __future__ import annotations

import asyncio

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from maie_runtime.limits import MAX_STAGE_REQUEST_BYTES
from maie_runtime.rpc.errors import ErrorInterceptor
from maie_runtime.rpc.reflection import enable_reflection

log = structlog.get_logger()

KEEPALIVE_SECONDS = 20
PING_TIMEOUT_SECONDS = 10
MIN_CLIENT_PING_SECONDS = 10
# A server whose calls do not end when they are cancelled has to go all the same.
LEAVE_SECONDS = 5.0

_OPTIONS = (
    # A second server on the same port must fail, not share its calls.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_STAGE_REQUEST_BYTES),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
    # `keepalive_timeout_ms` has no effect; this finds a frozen peer.
    ("grpc.http2.ping_timeout_ms", PING_TIMEOUT_SECONDS * 1000),
    ("grpc.http2.min_ping_interval_without_data_ms", MIN_CLIENT_PING_SECONDS * 1000),
    ("grpc.keepalive_permit_without_calls", 1),
)
_STATUS = {
    True: health_pb2.HealthCheckResponse.SERVING,
    False: health_pb2.HealthCheckResponse.NOT_SERVING,
}


class GrpcServer:
    """A grpc.aio server that says NOT_SERVING until it is told otherwise.

    Args:
        listen: HOST:PORT; port 0 takes a free one.
        services: The full names of the services that are mounted.
        max_request_bytes: The largest message of a call with one request.

    Attributes:
        server: Where services are added before `start`.
        address: HOST:PORT that the server listens on.

    Raises:
        RuntimeError: The address is taken.
    """

    def __init__(
        self,
        listen: str,
        services: tuple[str, ...],
        max_request_bytes: int = MAX_STAGE_REQUEST_BYTES,
    ) -> None:
        self.server = grpc.aio.server(
            interceptors=(ErrorInterceptor(max_request_bytes),), options=_OPTIONS
        )
        self._services = services
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.server)
        enable_reflection((*services, health.SERVICE_NAME), self.server)
        port = self.server.add_insecure_port(listen)
        self.address = f"{listen.rpartition(':')[0]}:{port}"

    async def start(self) -> None:
        """Answers calls from now on; health says NOT_SERVING."""
        await self.set_serving(False)
        await self.server.start()

    async def set_serving(self, serving: bool) -> None:
        """Says on the health service whether calls are welcome."""
        for name in ("", *self._services):
            await self._health.set(name, _STATUS[serving])

    async def stop(self, grace: float) -> None:
        """Refuses new calls and gives those in hand `grace` seconds; then leaves them."""
        await self._health.enter_graceful_shutdown()
        # Not asyncio.timeout: a cancellation in here can crash the process (grpcio 1.85).
        stopping = asyncio.ensure_future(self.server.stop(grace))
        await asyncio.wait({stopping}, timeout=grace + LEAVE_SECONDS)
        if not stopping.done():
            log.warning("service.calls_left")
