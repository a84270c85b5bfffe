"""The state of one watcher: which events it has received, and which are new to it."""

from __future__ import annotations

import asyncio
from collections import deque

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import ENDED_STATES, stage_progress
from maie_pipeline.bindings import binding_of

# A watcher that reads too slowly misses progress updates only.
BACKLOG = 256


class WatcherState:
    """The state of one watcher.

    Attributes:
        sequence: The sequence of the last durable event that was sent.
        stale: Whether the job's record may have changed since it was read.
        news: Set when there may be events to send.
    """

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.stale = True
        self.news = asyncio.Event()
        self._segments: dict[str, int] = {}
        self._warnings: set[int] = set()
        self._fractions: dict[str, float] = {}
        self._progress: deque[event.StageEvent] = deque(maxlen=BACKLOG)

    def take(self, stage_event: event.StageEvent) -> None:
        """Queues a worker's progress event."""
        if stage_event.WhichOneof("event") == "progress":
            self._progress.append(stage_event)
            self.news.set()

    def changed(self) -> None:
        """Notes that the job's record changed."""
        self.stale = True
        self.news.set()

    def fresh(self, seen: record.JobRecord) -> list[job.JobEvent]:
        """The queued progress as job events that are new to the watcher."""
        events: list[job.JobEvent] = []
        while self._progress:
            events += self._translate(self._progress.popleft(), seen)
        return events

    def is_new_segment(self, segment: common.Segment) -> bool:
        """Whether this segment, or this version of it, is new to the watcher."""
        # Only the hash is kept, so that a long recording needs little memory.
        content = hash(segment.SerializeToString(deterministic=True))
        if self._segments.get(segment.segment_id) == content:
            return False
        self._segments[segment.segment_id] = content
        return True

    def is_new_warning(self, warning: common.Warning) -> bool:
        """Whether this warning is new to the watcher: enhancement repeats those of ASR."""
        content = hash(warning.SerializeToString(deterministic=True))
        if content in self._warnings:
            return False
        self._warnings.add(content)
        return True

    def stage_progress(self, seen: record.JobRecord, stage: common.Stage) -> job.StageProgress:
        """The progress of a stage, with the reported fractions of its running units."""
        running = sum(
            self._fractions.get(unit.unit, 0.0)
            for unit in seen.units
            if unit.stage == stage and unit.state not in ENDED_STATES
        )
        return stage_progress(seen, stage, running)

    def _translate(
        self, stage_event: event.StageEvent, seen: record.JobRecord
    ) -> list[job.JobEvent]:
        unit = next((unit for unit in seen.units if unit.unit == stage_event.unit), None)
        if unit is None or unit.state in ENDED_STATES or unit.attempt != stage_event.attempt:
            return []
        binding = binding_of(unit.stage)
        response = binding.response_of(stage_event.progress) if binding else None
        if response is None:
            return []
        match response.WhichOneof("update"):
            case "segment" if self.is_new_segment(response.segment):
                return [job.JobEvent(event_time=stage_event.event_time, segment=response.segment)]
            case "progress":
                self._fractions[stage_event.unit] = response.progress.fraction
                progress = self.stage_progress(seen, unit.stage)
                return [job.JobEvent(event_time=stage_event.event_time, stage_progress=progress)]
        return []
