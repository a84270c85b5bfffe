"""Whether a part of a local mesh does its work."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maie_cli.mesh.parts import NATS, Part
from maie_client.channel import open_channel

CHECK_SECONDS = 2.0


async def is_ready(part: Part) -> bool:
    """Whether the part answers and says that it is serving."""
    if part.name == NATS:
        return await broker_is_ready(part.address)
    return await is_serving(part.address)


async def is_serving(address: str) -> bool:
    """Whether a gRPC server says that it is serving."""
    try:
        return await health_of(address)
    except grpc.aio.AioRpcError:
        return False


async def health_of(address: str, service: str = "") -> bool:
    """What a gRPC server's health service says.

    Raises:
        grpc.aio.AioRpcError: It does not answer, or does not know the service.
    """
    async with open_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=service)
        answer = await stub.Check(request, timeout=CHECK_SECONDS)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def broker_is_ready(address: str) -> bool:
    """Whether a nats-server greets with JetStream switched on."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                greeting = await reader.readline()
            finally:
                writer.close()
    except OSError:  # which TimeoutError is one of
        return False
    verb, _, info = greeting.partition(b" ")
    return verb == b"INFO" and bool(json.loads(info).get("jetstream"))
