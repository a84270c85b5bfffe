"""The health of a gRPC server, a gateway's or a stage's."""

from __future__ import annotations

from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maie_client.channel import open_channel

CHECK_SECONDS = 2.0


async def health_of(address: str, service: str = "") -> bool | None:
    """Whether a server, or one of its services, is serving.

    Args:
        address: HOST:PORT.
        service: The service's full name; empty: the server as a whole.

    Returns:
        None if the server does not answer or does not have the service.
    """
    async with open_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            answer = await stub.Check(request, timeout=CHECK_SECONDS)
        except grpc.aio.AioRpcError:
            return None
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
