"""What one watcher has heard already, and what of a worker's news is new to it."""

from __future__ import annotations

import asyncio
from collections import deque

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import ENDED_STATES, stage_progress
from maie_pipeline.bindings import binding_of

# A watcher that reads too slowly misses progress and nothing else.
BACKLOG = 256


class WatcherState:
    """What one watcher knows.

    Attributes:
        sequence: The last durable event that was told.
        stale: Whether the job's record may have changed since it was read.
        news: Set when there is something to look at.
    """

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.stale = True
        self.news = asyncio.Event()
        self._segments: dict[str, int] = {}
        self._warnings: set[int] = set()
        self._fractions: dict[str, float] = {}
        self._progress: deque[event.StageEvent] = deque(maxlen=BACKLOG)

    def take(self, told: event.StageEvent) -> None:
        """Keeps a worker's news until the watcher is ready for it."""
        if told.WhichOneof("event") == "progress":
            self._progress.append(told)
            self.news.set()

    def changed(self) -> None:
        """Notes that the job's record changed."""
        self.stale = True
        self.news.set()

    def fresh(self, seen: record.JobRecord) -> list[job.JobEvent]:
        """The news that a watcher of the job as it is has not heard."""
        events: list[job.JobEvent] = []
        while self._progress:
            events += self._translate(self._progress.popleft(), seen)
        return events

    def is_new(self, segment: common.Segment) -> bool:
        """Whether the watcher has not heard this segment, or heard it otherwise."""
        # The hash alone is kept, so that a long recording costs little.
        content = hash(segment.SerializeToString(deterministic=True))
        if self._segments.get(segment.segment_id) == content:
            return False
        self._segments[segment.segment_id] = content
        return True

    def is_unheard(self, warning: common.Warning) -> bool:
        """Whether the watcher has not heard this warning: enhancement keeps those of ASR."""
        content = hash(warning.SerializeToString(deterministic=True))
        if content in self._warnings:
            return False
        self._warnings.add(content)
        return True

    def stage_progress(self, seen: record.JobRecord, stage: common.Stage) -> job.StageProgress:
        """How far a stage is, with what its running units said of themselves."""
        running = sum(
            self._fractions.get(unit.unit, 0.0)
            for unit in seen.units
            if unit.stage == stage and unit.state not in ENDED_STATES
        )
        return stage_progress(seen, stage, running)

    def _translate(self, told: event.StageEvent, seen: record.JobRecord) -> list[job.JobEvent]:
        unit = next((unit for unit in seen.units if unit.unit == told.unit), None)
        if unit is None or unit.state in ENDED_STATES or unit.attempt != told.attempt:
            return []
        binding = binding_of(unit.stage)
        response = binding.response_of(told.progress) if binding else None
        if response is None:
            return []
        match response.WhichOneof("update"):
            case "segment" if self.is_new(response.segment):
                return [job.JobEvent(event_time=told.event_time, segment=response.segment)]
            case "progress":
                self._fractions[told.unit] = response.progress.fraction
                progress = self.stage_progress(seen, unit.stage)
                return [job.JobEvent(event_time=told.event_time, stage_progress=progress)]
        return []
