"""How many units the live workers of each stage can run at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_runtime.bindings import BINDINGS
from maie_runtime.broker import Broker

log = structlog.get_logger()

READ_SECONDS = 2.0


class WorkerSlots:
    """Reads what workers say of themselves, again and again, in the background."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._window: Mapping[common.Stage, int] = {}

    def window(self) -> Mapping[common.Stage, int]:
        """The slots of each stage, at least 1; empty until they were read once."""
        return self._window

    @asynccontextmanager
    async def running(self, period: float = READ_SECONDS) -> AsyncIterator[None]:
        """Reads every `period` seconds while the context lasts; has read once on entry."""
        await self._read()
        reading = asyncio.create_task(self._read_on(period))
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read_on(self, period: float) -> None:
        while True:
            await asyncio.sleep(period)
            await self._read()

    async def _read(self) -> None:
        try:
            slots = await self._slots()
        except (NatsError, APIError, OSError) as error:
            # What was true a moment ago is the best guess.
            log.warning("workers.read_failed", error=str(error) or type(error).__name__)
            return
        self._window = {b.stage: max(1, slots[b.stage]) for b in BINDINGS.values()}

    async def _slots(self) -> Counter[common.Stage]:
        slots: Counter[common.Stage] = Counter()
        watcher = await self._broker.workers.watchall()
        try:
            async for entry in watcher:
                if entry is None:  # all that is there was told
                    break
                if entry.operation is None:
                    worker = event.WorkerInfo.FromString(entry.value)
                    slots[worker.stage] += worker.slots
        finally:
            with suppress(NatsError, OSError):
                await watcher.stop()
        return slots
