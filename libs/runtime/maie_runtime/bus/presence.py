"""A worker's sign of life in the bucket of workers."""

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

SIGN_OF_LIFE_SECONDS = WORKER_FORGOTTEN_SECONDS / 4


def instance_name(slug: str) -> str:
    """A name that no other worker has, fit for a subject: "asr-host-1234"."""
    host = "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname())
    return f"{slug}-{host}-{os.getpid()}"


@asynccontextmanager
async def present(
    broker: Broker, slug: str, info: event.WorkerInfo, memory: Memory
) -> AsyncIterator[None]:
    """Keeps the worker's entry in the bucket as long as the context lasts.

    Args:
        broker: Where the bucket is.
        slug: The worker's stage.
        info: The entry, but for its memory.
        memory: What the worker takes of memory right now.
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
        await asyncio.sleep(SIGN_OF_LIFE_SECONDS)
