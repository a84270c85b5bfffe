"""A service whose engine died says so, ends, and ends as failed."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.bus.broker import Broker
from maie_runtime.worker.watchdog import watchdog
from tests.conftest import NatsServer, free_port
from tests.runtime.test_worker_process import worker_process
from tests.waiting import PATIENCE_SECONDS

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
DIED = StageError(Code.UNAVAILABLE, Reason.MODEL_UNAVAILABLE, "The model died.")


async def dies(seconds: float = 0.01) -> None:
    await asyncio.sleep(seconds)
    raise DIED


async def never() -> None:
    await asyncio.Event().wait()


@pytest.mark.unit
async def test_a_block_ends_with_what_its_watch_raised() -> None:
    with pytest.raises(StageError) as raised:
        async with watchdog(dies):
            await asyncio.Event().wait()
    assert raised.value is DIED
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.unit
async def test_a_block_cleans_up_before_it_ends() -> None:
    left: list[str] = []
    with pytest.raises(StageError):
        async with watchdog(dies):
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.01)
                left.append("clean")
    assert left == ["clean"]


@pytest.mark.unit
async def test_a_block_that_is_left_stops_its_watch() -> None:
    before = asyncio.all_tasks()
    async with watchdog(never):
        await asyncio.sleep(0)
        assert asyncio.all_tasks() != before
    assert asyncio.all_tasks() == before


@pytest.mark.unit
async def test_a_blocks_own_error_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with watchdog(never):
            raise ZeroDivisionError


@pytest.mark.unit
async def test_a_cancellation_from_outside_stays_one() -> None:
    async def serve() -> None:
        async with watchdog(never):
            await asyncio.Event().wait()

    task = asyncio.create_task(serve())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.unit
async def test_a_death_while_being_cancelled_keeps_the_cancellation() -> None:
    async def serve() -> None:
        async with watchdog(partial(dies, 0.02)):
            try:
                await asyncio.Event().wait()
            finally:
                # The watch dies while this is still cleaning up.
                await asyncio.wait([asyncio.create_task(asyncio.sleep(0.05))])

    task = asyncio.create_task(serve())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.mesh
async def test_a_service_whose_engine_died_says_not_serving_and_ends_with_status_1(
    nats_server: NatsServer, broker: Broker, tmp_path: Path
) -> None:
    """The broker is provisioned, as a gateway leaves it: services wait for that."""
    address = f"127.0.0.1:{free_port()}"
    settings = {"MAIE_ASR_LISTEN": address, "ENGINE_DIES": str(tmp_path / "died")}
    async with (
        worker_process(nats_server, tmp_path, **settings) as process,
        grpc.aio.insecure_channel(address) as channel,
    ):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(
            health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=PATIENCE_SECONDS
        )
        async for answer in watch:
            if answer.status == SERVING:
                break
        (tmp_path / "died").touch()
        answer = await anext(aiter(watch))
        assert answer.status == NOT_SERVING
        watch.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 1
    log = (tmp_path / "worker.log").read_text()
    assert "watchdog.died" in log
    assert "service.failed" in log
    assert "MODEL_UNAVAILABLE" in log
