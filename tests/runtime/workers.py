"""A worker around a stage without an engine, and units for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any

from nats.aio.msg import Msg

from maie.asr.v1 import asr_pb2 as asr
from maie.event.v1 import event_pb2 as event
from maie_core.settings import GpuServiceSettings, MeshSettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.provision import declare_lanes
from maie_runtime.bus.pull import pull_groups
from maie_runtime.bus.task_worker import TaskWorker
from maie_runtime.bus.worker_vault import WorkerVault
from maie_runtime.gpu.residency import Residency, Resident
from maie_runtime.worker.host import Host, end_process
from maie_runtime.worker.unit import UnitRunner
from tests.empty_stages import EmptyStage
from tests.waiting import PATIENCE_SECONDS

JOB = "01900000-0000-7000-8000-000000000000"
UNIT = "asr.0000"
BINDING = BINDINGS["asr"]
CONSUMER = subjects.worker_consumer("asr")


def settings_of(*, ack_wait_seconds: float = 15.0, **options: Any) -> GpuServiceSettings:
    """A worker's settings, in a mesh with this ack_wait."""
    return GpuServiceSettings(mesh=MeshSettings(ack_wait_seconds=ack_wait_seconds), **options)


@asynccontextmanager
async def worker(
    broker: Broker,
    stage: EmptyStage,
    blobs: Blobs,
    *,
    abandon: Callable[[], None] = end_process,
    residency: Residency | None = None,
    **options: Any,
) -> AsyncIterator[TaskWorker]:
    """A worker of the stage; `options` are settings."""
    runner = UnitRunner(binding=BINDING, stage=stage, broker=broker, blobs=blobs, worker="test")
    settings = settings_of(**options)
    await declare_lanes(broker, BINDING.slug, settings.mesh.ack_wait_seconds)
    host = Host(settings=settings, residency=residency or Resident(), abandon=abandon)
    vault = WorkerVault(BINDING.slug)
    vault.connect(broker.client)
    mount = TaskWorker(
        binding=BINDING, runner=runner, broker=broker, settings=settings, host=host, vault=vault
    )
    await mount.start()
    try:
        yield mount
    finally:
        await mount.stop(grace=0.2)


async def submit(
    broker: Broker,
    *units: str,
    attempt: int = 1,
    lane: str = subjects.BATCH,
    job_id: str = JOB,
    pause: timedelta = timedelta(),
    report_start: bool = False,
) -> None:
    """Publishes the tasks of units; of one unit where none is named."""
    for unit in units or (UNIT,):
        task = event.StageTask(
            job_id=job_id,
            unit=unit,
            attempt=attempt,
            report_start=report_start,
            asr=asr.TranscribeRequest(),
        )
        task.pause.FromTimedelta(pause)
        subject = subjects.task("asr", job_id, unit, lane)
        await broker.publish(subject, task, message_id=f"{job_id}/{unit}/{attempt}")


async def take_back(broker: Broker, job_id: str = JOB) -> None:
    """Removes a job's tasks from the queue, as a gateway does where the job is cancelled."""
    await erase_all(broker, subjects.TASKS, subjects.tasks_of_job(job_id))


async def take(broker: Broker, ack_wait_seconds: float) -> Msg:
    """Takes the next unit, and sends no heartbeats, as a lost worker."""
    await declare_lanes(broker, BINDING.slug, ack_wait_seconds)
    async with aclosing(pull_groups(broker.client, subjects.TASKS, CONSUMER, size=1)) as groups:
        async for (message,) in groups:
            return message
    raise AssertionError("The queue was closed.")


async def deliveries(broker: Broker) -> int:
    """How often units were delivered, the same one again included."""
    delivered = (await broker.jetstream.consumer_info(subjects.TASKS, CONSUMER)).delivered
    return delivered.consumer_seq if delivered else 0


async def next_event(broker: Broker, number: int = 1) -> event.StageEvent:
    """The durable event with that number in the stream."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await count_events(broker) < number:
            await asyncio.sleep(0.02)
    message = await broker.jetstream.get_msg(subjects.EVENTS, seq=number)
    return event.StageEvent.FromString(message.data or b"")


async def count_events(broker: Broker) -> int:
    """How many durable events there are."""
    return (await broker.jetstream.stream_info(subjects.EVENTS)).state.messages


async def queue_is_empty(broker: Broker) -> bool:
    """Whether all tasks are settled."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await broker.jetstream.stream_info(subjects.TASKS)).state.messages:
            await asyncio.sleep(0.02)
    return True
