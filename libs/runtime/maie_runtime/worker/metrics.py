"""What a worker measures of its work: units and calls, their results, its model and its memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from maie_core.metrics import NO_METER, WORK_SECONDS
from maie_runtime.bus.subjects import LANES
from maie_runtime.gpu.memory import ModelMemory, memory_in_use
from maie_runtime.worker.stage import CountsBatches, ResultFigures, Stage, Streams
from maie_runtime.worker.work import DIRECT, Work

Count = Callable[[], float]


class WorkMetrics:
    """The instruments of a worker's units and calls; every series has its stage.

    Args:
        slug: The stage.
        meter: Makes the instruments.
    """

    def __init__(self, slug: str, meter: Meter = NO_METER) -> None:
        self._stage = {"stage": slug}
        self._duration = meter.create_histogram(
            "maie.unit.duration",
            unit="s",
            description="How long units and direct calls ran in their slot, with the model "
            "loaded: the time of the engine, and of reading and storing around it.",
            explicit_bucket_boundaries_advisory=WORK_SECONDS,
        )
        self._engine = meter.create_counter(
            "maie.engine.time",
            unit="s",
            description="How long engines worked for units and direct calls; calls of one unit "
            "that overlap count once.",
        )
        self._active = meter.create_up_down_counter(
            "maie.unit.active", unit="{unit}", description="Units and direct calls that run now."
        )
        self._wait = meter.create_histogram(
            "maie.queue.wait",
            unit="s",
            description="How long units waited in the queue for a worker, by the clocks of the "
            "broker and the worker.",
            explicit_bucket_boundaries_advisory=WORK_SECONDS,
        )
        self._redeliveries = meter.create_counter(
            "maie.task.redeliveries",
            unit="{delivery}",
            description="Tasks delivered again, because their worker was lost or gave them back.",
        )
        self._audio = meter.create_counter(
            "maie.audio.processed", unit="s", description="Audio in the results of units."
        )
        self._warned = meter.create_counter(
            "maie.results.warned",
            unit="{result}",
            description="Results of units with a warning of this reason of docs/reasons.md, or "
            "with SUSPECT_TEXT. Those of asr are of chunks, all others of recordings.",
        )
        for lane in LANES:
            for lost in (True, False):
                # A counter that is absent until its first event has no rate for it.
                self._redeliveries.add(0, self._cause(lane, lost=lost))

    @asynccontextmanager
    async def around(self, work: Work) -> AsyncIterator[None]:
        """Measures a unit or a direct call while it has its slot and the model."""
        kind = {**self._stage, "kind": "call" if work.unit == DIRECT else "unit"}
        began, outcome = time.monotonic(), "failed"
        self._active.add(1, kind)
        try:
            yield
            outcome = "completed"
        except (asyncio.CancelledError, GeneratorExit):
            outcome = "stopped"
            raise
        finally:
            self._active.add(-1, kind)
            self._engine.add(work.engine_calls.seconds, kind)
            self._duration.record(time.monotonic() - began, {**kind, "outcome": outcome})

    def taken(self, lane: str, *, waited: float) -> None:
        """Counts a unit's first delivery, after so many seconds in the queue."""
        self._wait.record(max(0.0, waited), {**self._stage, "lane": lane})

    def redelivered(self, lane: str, *, lost: bool) -> None:
        """Counts a unit that is delivered again."""
        self._redeliveries.add(1, self._cause(lane, lost=lost))

    def _cause(self, lane: str, *, lost: bool) -> dict[str, str]:
        return {**self._stage, "lane": lane, "cause": "lost" if lost else "returned"}

    def result(self, figures: ResultFigures) -> None:
        """Counts what a unit's result says of itself."""
        if figures.audio_seconds:
            self._audio.add(figures.audio_seconds, self._stage)
        for reason in set(figures.warnings):
            self._warned.add(1, {**self._stage, "reason": reason})


def observe_worker(
    meter: Meter, slug: str, slots: int, stage: Stage, memory: ModelMemory, streams: Streams | None
) -> None:
    """Makes what is read of a worker at each scrape.

    Args:
        meter: Makes the instruments.
        slug: The stage.
        slots: How many units and calls run at a time.
        stage: May count batches of its engine.
        memory: Counts loads of the model.
        streams: Answers live speech; None where there is none.
    """
    labels = {"stage": slug}

    def reading(value: Count) -> Callable[[CallbackOptions], Iterator[Observation]]:
        def observe(_: CallbackOptions) -> Iterator[Observation]:
            yield Observation(value(), labels)

        return observe

    def in_use(_: CallbackOptions) -> Iterator[Observation]:
        kinds = {"rss_bytes": "main", "gpu_bytes": "gpu"}
        for name, size in memory_in_use().items():
            yield Observation(size, {**labels, "kind": kinds[name]})

    gauge, counter = meter.create_observable_gauge, meter.create_observable_counter
    gauge(
        "maie.worker.slots",
        [reading(lambda: slots)],
        unit="{slot}",
        description="Units and direct calls that the worker runs at a time.",
    )
    gauge(
        "maie.worker.memory",
        [in_use],
        unit="By",
        description="Memory in use: `main` of the worker and its child processes, `gpu` of all "
        "processes on the GPUs that it sees.",
    )
    gauge(
        "maie.model.loaded",
        [reading(lambda: memory.loaded)],
        description="1 while the model is loaded, 0 while it is not, such as on a shared GPU.",
    )
    counter(
        "maie.model.loads",
        [reading(lambda: memory.loads)],
        unit="{load}",
        description="How often the model was loaded.",
    )
    counter(
        "maie.model.load.time",
        [reading(lambda: memory.seconds)],
        unit="s",
        description="How long loading and unloading the model took, in all.",
    )
    if isinstance(stage, CountsBatches):
        counted = stage

        def asked(_: CallbackOptions) -> Iterator[Observation]:
            now = counted.batching
            yield Observation(now.running, {**labels, "state": "running"})
            yield Observation(now.waiting, {**labels, "state": "waiting"})

        gauge(
            "maie.engine.requests",
            [asked],
            unit="{request}",
            description="Requests in an engine that makes batches: in one, or waiting for one.",
        )
        counter(
            "maie.engine.batches",
            [reading(lambda: counted.batching.batches)],
            unit="{batch}",
            description="Batches that the engine ran; 0 where it makes none.",
        )
        counter(
            "maie.engine.batch.rows",
            [reading(lambda: counted.batching.rows)],
            unit="{row}",
            description="What was in these batches; over their number, it is the mean batch size.",
        )
    if streams is not None:
        live = streams
        gauge(
            f"maie.{slug}.live.tracks",
            [reading(lambda: live.tracks)],
            unit="{track}",
            description="Live tracks that the worker has.",
        )
        gauge(
            f"maie.{slug}.live.limit",
            [reading(lambda: live.limit)],
            unit="{track}",
            description="The most live tracks that it takes.",
        )
