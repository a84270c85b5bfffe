"""A worker's heartbeat: its entry in the bucket of workers."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from maie.event.v1 import event_pb2 as event
from maie_runtime.background import background_tasks
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.streams import WORKER_FORGOTTEN_SECONDS
from maie_runtime.bus.subjects import WORKERS

Memory = Callable[[], Awaitable[event.WorkerMemory]]

log = structlog.get_logger()

HEARTBEAT_SECONDS = WORKER_FORGOTTEN_SECONDS / 4


def instance_name(slug: str) -> str:
    """A unique name that is valid in a subject, such as "asr-host-1234"."""
    host = "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname())
    return f"{slug}-{host}-{os.getpid()}"


@asynccontextmanager
async def present(
    broker: Broker, slug: str, info: event.WorkerInfo, memory: Memory
) -> AsyncIterator[None]:
    """Renews the worker's entry in the bucket as long as the context lasts.

    Args:
        broker: The broker.
        slug: The worker's stage.
        info: The entry, without its memory.
        memory: Measures the memory that the worker uses now.
    """
    key = f"{slug}.{info.instance}"
    try:
        async with background_tasks(_renew(broker, key, info, memory)):
            yield
    finally:
        with suppress(*BROKER_ERRORS):
            await broker.workers.delete(key)


async def _renew(broker: Broker, key: str, info: event.WorkerInfo, memory: Memory) -> None:
    while True:
        info.memory.CopyFrom(await memory())
        try:
            await broker.workers.put(key, info.SerializeToString())
        except BROKER_ERRORS as error:
            log.warning("worker.presence_failed", bucket=WORKERS, error=str(error))
        await asyncio.sleep(HEARTBEAT_SECONDS)
