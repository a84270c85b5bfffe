"""Readiness checks for the parts of a local mesh."""

from __future__ import annotations

import asyncio
import json

from maie_cli.mesh.parts import Part
from maie_client.health import health_of
from maie_runtime.probe import probe

CHECK_SECONDS = 2.0


async def is_ready(part: Part) -> bool:
    """Whether the part answers and reports SERVING."""
    if part.is_broker:
        return await broker_is_ready(part.address)
    if part.health_file is not None:
        return not probe(part.health_file)
    return await is_serving(part.address)


async def is_serving(address: str) -> bool:
    """Whether a gRPC server reports SERVING."""
    return await health_of(address) is True


async def broker_is_ready(address: str) -> bool:
    """Whether a nats-server announces JetStream in its greeting."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                greeting = await reader.readline()
            finally:
                writer.close()
    except OSError:  # includes TimeoutError
        return False
    verb, _, info = greeting.partition(b" ")
    return verb == b"INFO" and bool(json.loads(info).get("jetstream"))
