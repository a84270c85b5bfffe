"""A server leaves, whatever became of the calls in its hands."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maie_runtime.rpc.server import GrpcServer
from tests.waiting import PATIENCE_SECONDS


async def test_a_server_whose_own_tasks_were_cancelled_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("maie_runtime.rpc.server.LEAVE_SECONDS", 0.2)
    server = GrpcServer("127.0.0.1:0", ())
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        call = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await call.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await server.stop(0)
