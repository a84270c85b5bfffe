"""What the live workers can do: how many units of each stage at once, and which options."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from google.protobuf.message import DecodeError

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import streaming_pb2 as streaming
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError, invalid
from maie_core.live_options import turn_model_missing
from maie_core.options import TURN_MODEL, check_capable
from maie_core.reasons import Reason
from maie_gateway.records.buckets import follow_bucket
from maie_pipeline.bindings import BINDINGS
from maie_runtime.background import background_tasks
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, broker_unavailable
from maie_runtime.bus.streams import WORKER_FORGOTTEN_SECONDS
from maie_runtime.bus.watch import Entry

log = structlog.get_logger()

# Interval between checks for workers without a heartbeat.
LOOK_SECONDS = 2.0


@dataclass(kw_only=True, frozen=True, slots=True)
class _Known:
    """A worker's last report, and when it arrived, by the monotonic clock."""

    info: event.WorkerInfo
    since: float


class LiveWorkers:
    """Follows the reports of workers.

    A worker without a report for `WORKER_FORGOTTEN_SECONDS` is forgotten. While
    the broker is disconnected, the last known workers stay.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._known: dict[str, _Known] = {}
        self._replay: dict[str, _Known] | None = None
        self._complete = asyncio.Event()
        self._slots: Mapping[common.Stage, int] = {}
        self._window: Mapping[common.Stage, int] = {}
        self._asr_models: Sequence[event.ModelInfo] = ()

    async def workers(self) -> list[event.WorkerInfo]:
        """All live workers, in the order of their stages' and their own names.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE: the list may be stale.
        """
        if not await self._broker.until_connected():
            raise broker_unavailable()
        return self.known_workers()

    def known_workers(self) -> list[event.WorkerInfo]:
        """The same, also while the broker is away."""
        return [info for info in self._infos() if info.stage]

    def gateways(self) -> list[event.WorkerInfo]:
        """All live gateways, in the order of their names, which report as workers do."""
        return [info for info in self._infos() if not info.stage]

    def _infos(self) -> list[event.WorkerInfo]:
        return [self._known[key].info for key in sorted(self._known)]

    def slots(self) -> Mapping[common.Stage, int]:
        """The slots of the live workers, by stage; without stages that have no worker."""
        return self._slots

    def are_busy_with_others(self, stage: common.Stage, job_id: str) -> bool:
        """Whether each slot of a stage has a unit, and none of them is of this job.

        That is as the workers reported it, within about a second.
        """
        slots = self._slots.get(stage, 0)
        infos = [info for info in self._infos() if info.stage == stage]
        running = [unit.job_id for info in infos for unit in info.running]
        return 0 < slots <= len(running) and job_id not in running

    def window(self) -> Mapping[common.Stage, int]:
        """The slots of each stage, at least 1; empty until they were read once."""
        return self._window

    def check_asr_options(self, options: asr.TranscribeOptions, field: str) -> None:
        """Refuses options that no live ASR worker supports; accepts any where none is live.

        Args:
            options: What a client said.
            field: Where it said so, such as "config.asr_options".

        Raises:
            StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
        """
        refusals = [_refusal(options, model, field) for model in self._asr_models]
        if refusals and (refusal := refusals[0]) and all(refusals):
            raise refusal

    def check_turns(self, options: streaming.TurnOptions, field: str) -> None:
        """Refuses a model for turns that no replica has; accepts it where none is live.

        Args:
            options: What a client said.
            field: Where it said so, such as "config.turns".

        Raises:
            StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
        """
        replicas = [
            info
            for info in self.known_workers()
            if info.stage == common.STAGE_ASR and info.live_tracks
        ]
        models = [model for info in replicas for model in info.models]
        able = any(TURN_MODEL in model.capabilities for model in models)
        if options.detector == streaming.TURN_DETECTOR_MODEL and replicas and not able:
            raise turn_model_missing(f"{field}.detector")

    def check_refinements(self, *, wanted: bool) -> None:
        """Refuses refinements of live speech where no enhancement service takes calls.

        Raises:
            StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
        """
        if wanted and not any(
            info.stage == common.STAGE_ENHANCEMENT and info.address for info in self.known_workers()
        ):
            raise invalid(
                Reason.OPTION_NOT_SUPPORTED,
                "No enhancement service with a port runs that could make refinements; start one, "
                "or leave `refinements` unset.",
                field="config.refinements",
            )

    @asynccontextmanager
    async def running(self, silence: float = WORKER_FORGOTTEN_SECONDS) -> AsyncIterator[None]:
        """Follows workers while the context lasts; begins once all have been seen.

        Args:
            silence: After how many seconds without a report a worker is forgotten.
        """
        following = follow_bucket(self._broker, subjects.WORKERS, self._begun, self._received)
        async with background_tasks(following, self._forget_silent(silence)):
            await self._complete.wait()
            yield

    async def _begun(self) -> None:
        self._replay = {}

    async def _received(self, entry: Entry | None) -> None:
        known = self._known if self._replay is None else self._replay
        if entry is None:
            self._known, self._replay = known, None
            self._complete.set()
        elif entry.value is None:
            known.pop(entry.key, None)
        else:
            try:
                info = event.WorkerInfo.FromString(entry.value)
            except DecodeError:
                # The entry expires, and a live worker reports again.
                log.error("worker.unreadable", key=entry.key)
            else:
                known[entry.key] = _Known(info=info, since=time.monotonic())
        if self._replay is None:
            self._sum_up()

    async def _forget_silent(self, silence: float) -> None:
        while True:
            await asyncio.sleep(min(LOOK_SECONDS, silence))
            if self._broker.connected:
                oldest = time.monotonic() - silence
                self._known = {k: each for k, each in self._known.items() if each.since > oldest}
                self._sum_up()

    def _sum_up(self) -> None:
        slots: Counter[common.Stage] = Counter()
        models: list[event.ModelInfo] = []
        for known in self._known.values():
            slots[known.info.stage] += known.info.slots
            if known.info.stage == common.STAGE_ASR:
                models.extend(known.info.models)
        self._slots = slots
        self._window = {b.stage: max(1, slots[b.stage]) for b in BINDINGS.values()}
        self._asr_models = models


def _refusal(
    options: asr.TranscribeOptions, model: event.ModelInfo, field: str
) -> StageError | None:
    try:
        check_capable(options, model.capabilities, field)
    except StageError as refusal:
        return refusal
    return None
