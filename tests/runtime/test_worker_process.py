"""A worker that dies, at whatever instant, loses nothing and doubles nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.js.errors import NotFoundError

from maie_runtime import failpoints
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import declare_lanes
from maie_runtime.worker.host import HUNG_STATUS
from tests.conftest import NatsServer
from tests.empty_stages import EmptyStage
from tests.runtime.workers import UNIT, count_events, next_event, queue_is_empty, submit, worker
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

ROOT = Path(__file__).parents[2]
ACK_WAIT = 2


@pytest.fixture(autouse=True)
async def lanes(broker: Broker) -> None:
    """The queues of the stage, as gateways declare them."""
    await declare_lanes(broker, "asr", ACK_WAIT)


@asynccontextmanager
async def worker_process(
    nats_server: NatsServer, tmp_path: Path, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own; killed in the end."""
    with (tmp_path / "worker.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.runtime.process"),
            cwd=ROOT,
            env={
                **os.environ,
                "MAIE_NATS_URL": nats_server.url,
                "MAIE_BLOB_URL": (tmp_path / "blobs").as_uri(),
                "MAIE_ACK_WAIT_SECONDS": str(ACK_WAIT),
                **environment,
            },
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def taken(broker: Broker) -> None:
    """Waits until a worker has a unit in hand."""
    name = subjects.worker_consumer("asr")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                if (await broker.jetstream.consumer_info(subjects.TASKS, name)).num_ack_pending:
                    return
            except NotFoundError:
                pass
            await asyncio.sleep(0.02)


async def test_a_killed_workers_unit_runs_again(
    nats_server: NatsServer, broker: Broker, stage: EmptyStage, blobs: Blobs, tmp_path: Path
) -> None:
    async with worker_process(nats_server, tmp_path, HOOK="wait") as process:
        await submit(broker)
        await taken(broker)
        async with worker(broker, stage, blobs, ack_wait_seconds=ACK_WAIT):
            # Long enough for a heartbeat, which moves the end of the wait.
            await asyncio.sleep(ACK_WAIT * 0.6)
            killed = time.monotonic()
            process.send_signal(signal.SIGKILL)
            assert (await next_event(broker)).HasField("completed")
            recovery = time.monotonic() - killed
    print(f"recovery after kill -9: {recovery:.2f} s with an ack_wait of {ACK_WAIT} s")
    assert stage.runs == [(UNIT, 1)]


@pytest.mark.slow
async def test_a_poisoned_unit_is_given_up_and_its_neighbours_are_done(
    nats_server: NatsServer, broker: Broker, stage: EmptyStage, blobs: Blobs, tmp_path: Path
) -> None:
    poison, neighbours = "asr.0001", {"asr.0000", "asr.0002"}
    await submit(broker, "asr.0000", poison, "asr.0002")
    limits = {"MAIE_ASR_SLOTS": "3", "MAIE_ASR_MAX_DELIVERIES": "2"}
    for _ in range(2):
        async with worker_process(nats_server, tmp_path, POISON=poison, **limits) as process:
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await process.wait() == -signal.SIGKILL
    async with worker(broker, stage, blobs, ack_wait_seconds=ACK_WAIT, max_deliveries=2):
        ends = [await next_event(broker, number) for number in (1, 2, 3)]
        assert await queue_is_empty(broker)
    kinds = {end.unit: end.WhichOneof("event") for end in ends}
    assert kinds == dict.fromkeys(neighbours, "completed") | {poison: "failed"}
    failed = next(end.failed for end in ends if end.unit == poison)
    assert (failed.failure.reason, failed.retryable) == ("WORKER_LOST", False)
    assert poison not in {unit for unit, _ in stage.runs}


@pytest.mark.parametrize(
    "point", [point for point in failpoints.POINTS if point.startswith("worker")]
)
async def test_a_death_between_result_event_and_ack_tells_the_end_once(
    nats_server: NatsServer,
    broker: Broker,
    stage: EmptyStage,
    blobs: Blobs,
    tmp_path: Path,
    point: str,
) -> None:
    await submit(broker)
    async with worker_process(nats_server, tmp_path, MAIE_FAULT=f"{point}:kill") as process:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == -signal.SIGKILL
    async with worker(broker, stage, blobs, ack_wait_seconds=ACK_WAIT):
        told = await next_event(broker)
        assert told.HasField("completed")
        assert await queue_is_empty(broker)
    # The second run's event has the first one's id, so it is not stored again.
    assert await count_events(broker) == 1
    assert await blobs.get(told.completed.output)
    assert "fault.planned" in (tmp_path / "worker.log").read_text()


async def test_a_hung_worker_ends_with_its_own_status(
    nats_server: NatsServer, broker: Broker, tmp_path: Path
) -> None:
    limits = {"MAIE_ASR_STALL_SECONDS": "0.5", "MAIE_ASR_CANCEL_GRACE_SECONDS": "0.5"}
    async with worker_process(nats_server, tmp_path, HOOK="hang", **limits) as process:
        await submit(broker)
        assert (await next_event(broker)).failed.failure.reason == "STALLED"
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == HUNG_STATUS
    assert await queue_is_empty(broker)
    assert "worker.engine_hung" in (tmp_path / "worker.log").read_text()


async def test_a_hung_engine_does_not_outlive_sigterm(
    nats_server: NatsServer, broker: Broker, stage: EmptyStage, blobs: Blobs, tmp_path: Path
) -> None:
    limits = {"MAIE_SHUTDOWN_GRACE_SECONDS": "0.5", "MAIE_ASR_CANCEL_GRACE_SECONDS": "0.5"}
    async with worker_process(nats_server, tmp_path, HOOK="hang", **limits) as process:
        await submit(broker)
        await taken(broker)
        process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == HUNG_STATUS
    # A restart is no loss of a worker, however hard the engine made it.
    async with worker(broker, stage, blobs, ack_wait_seconds=ACK_WAIT, max_deliveries=1):
        assert (await next_event(broker)).HasField("completed")


async def test_a_fault_that_cannot_be_read_stops_the_service(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with worker_process(nats_server, tmp_path, MAIE_FAULT="worker.nowhere:kill") as process:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 1
    assert "worker.nowhere:kill" in (tmp_path / "worker.log").read_text()
