"""What the live workers can do: how many units of each stage at once, and which options."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_runtime.background import beside
from maie_runtime.bindings import BINDINGS
from maie_runtime.broker import Broker
from maie_runtime.errors import StageError
from maie_runtime.options import check_capable

log = structlog.get_logger()

READ_SECONDS = 2.0


class LiveWorkers:
    """Reads what workers say of themselves, again and again, in the background."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._window: Mapping[common.Stage, int] = {}
        self._asr_models: Sequence[event.ModelInfo] = ()

    def window(self) -> Mapping[common.Stage, int]:
        """The slots of each stage, at least 1; empty until they were read once."""
        return self._window

    def check_asr_options(self, options: asr.TranscribeOptions) -> None:
        """Refuses options that no live ASR worker can do; takes any where none is live.

        Raises:
            StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
        """
        refusals = [_refusal(options, model) for model in self._asr_models]
        if refusals and (refusal := refusals[0]) and all(refusals):
            raise refusal

    @asynccontextmanager
    async def running(self, period: float = READ_SECONDS) -> AsyncIterator[None]:
        """Reads every `period` seconds while the context lasts; has read once on entry."""
        await self._read()
        async with beside(self._read_on(period)):
            yield

    async def _read_on(self, period: float) -> None:
        while True:
            await asyncio.sleep(period)
            await self._read()

    async def _read(self) -> None:
        try:
            workers = await self._workers()
        except (NatsError, APIError, OSError) as error:
            # What was true a moment ago is the best guess.
            log.warning("workers.read_failed", error=str(error) or type(error).__name__)
            return
        slots: Counter[common.Stage] = Counter()
        for worker in workers:
            slots[worker.stage] += worker.slots
        self._window = {b.stage: max(1, slots[b.stage]) for b in BINDINGS.values()}
        self._asr_models = [
            model
            for worker in workers
            if worker.stage == common.STAGE_ASR
            for model in worker.models
        ]

    async def _workers(self) -> list[event.WorkerInfo]:
        workers = []
        watcher = await self._broker.workers.watchall()
        try:
            async for entry in watcher:
                if entry is None:  # all that is there was told
                    break
                if entry.operation is None:
                    workers.append(event.WorkerInfo.FromString(entry.value))
        finally:
            with suppress(NatsError, OSError):
                await watcher.stop()
        return workers


def _refusal(options: asr.TranscribeOptions, model: event.ModelInfo) -> StageError | None:
    try:
        check_capable(options, model.capabilities, "config.asr_options")
    except StageError as refusal:
        return refusal
    return None
