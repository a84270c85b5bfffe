"""A worker's heartbeat: its entry in the bucket of workers."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from maie.event.v1 import event_pb2 as event
from maie_runtime.background import background_tasks
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.streams import WORKER_FORGOTTEN_SECONDS
from maie_runtime.bus.subjects import WORKERS

Refresh = Callable[[event.WorkerInfo], bool]
Memory = Callable[[], Awaitable[event.WorkerMemory]]

log = structlog.get_logger()

HEARTBEAT_SECONDS = WORKER_FORGOTTEN_SECONDS / 4
# How often a worker looks whether what it runs has changed.
REFRESH_SECONDS = 1.0


def instance_name(slug: str) -> str:
    """A unique name that is valid in a subject, such as "asr-host-1234"."""
    host = "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname())
    return f"{slug}-{host}-{os.getpid()}"


@asynccontextmanager
async def present(
    broker: Broker,
    slug: str,
    info: event.WorkerInfo,
    memory: Memory,
    refresh: Refresh = lambda _: False,
) -> AsyncIterator[None]:
    """Renews the worker's entry in the bucket as long as the context lasts.

    Args:
        broker: The broker.
        slug: The worker's stage.
        info: The entry, without its memory.
        memory: Measures the memory that the worker uses now.
        refresh: Writes into the entry what the worker does now, and gives whether that is new.
            Where it is, the entry is renewed within a second.
    """
    key = f"{slug}.{info.instance}"
    try:
        async with background_tasks(_renew(broker, key, info, memory, refresh)):
            yield
    finally:
        with suppress(*BROKER_ERRORS):
            await broker.workers.delete(key)


async def _renew(
    broker: Broker, key: str, info: event.WorkerInfo, memory: Memory, refresh: Refresh
) -> None:
    due = 0.0
    while True:
        is_new, now = refresh(info), time.monotonic()
        if now >= due:
            info.memory.CopyFrom(await memory())
        if is_new or now >= due:
            due = now + HEARTBEAT_SECONDS
            try:
                await broker.workers.put(key, info.SerializeToString())
            except BROKER_ERRORS as error:
                log.warning("worker.presence_failed", bucket=WORKERS, error=str(error))
        await asyncio.sleep(REFRESH_SECONDS)
