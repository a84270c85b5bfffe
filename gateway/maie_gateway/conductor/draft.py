"""The next version of a record, while it is being made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor.graph import Graph
from maie_gateway.conductor.log import log_state, log_unit
from maie_gateway.conductor.policy import Policy
from maie_gateway.conductor.tasks import make_tasks
from maie_gateway.conductor.timeline import attempt_times
from maie_pipeline.nodes import node_name
from maie_pipeline.states import ENDED_STATES, GIVEN_UP_STATES, rank


@dataclass(kw_only=True, frozen=True, slots=True)
class Step:
    """The result of applying an event.

    Attributes:
        record: The record to store; the same object where nothing changed.
        tasks: What to publish once the record is stored.
        changed: Whether there is anything to store.
    """

    record: record.JobRecord
    tasks: tuple[event.StageTask, ...] = ()
    changed: bool = True


class Draft:
    """A mutable copy of a record, and the units that it queues.

    Args:
        source: The record before; it is not changed.
        now: The time of all log entries.
    """

    def __init__(self, source: record.JobRecord, now: datetime) -> None:
        self.record = record.JobRecord()
        self.record.CopyFrom(source)
        self.graph = Graph(self.record)
        self._now = now
        self._time = Timestamp()
        self._time.FromDatetime(now)
        self._queued: list[record.Unit] = []
        self._times: dict[str, job.AttemptTimes] = {}

    def enter(self, state: job.JobState) -> None:
        """Enters a later state. The current state or an earlier one changes nothing."""
        if rank(state) > rank(self.record.state):
            self.record.state = state
            log_state(self.record, self._time)

    def begin(self, unit: record.Unit) -> None:
        """Records that a worker has begun a unit."""
        node = self.graph.node(unit)
        if node.begins:
            self.enter(node.state)

    def note_cost(
        self, unit: record.Unit, ended: event.StageEvent, metrics: common.UnitMetrics
    ) -> None:
        """Takes what a worker reports of an attempt that ended: its span, and its times."""
        unit.span_id = ended.span_id
        self._times[unit.unit] = attempt_times(unit, metrics, ended.worker, self._now)

    def end(
        self, unit: record.Unit, state: job.UnitState, failure: common.Failure | None = None
    ) -> None:
        """Ends a unit for good."""
        unit.state = state
        if failure is not None:
            unit.failure.CopyFrom(failure)
        # The log has how long it took.
        unit.ClearField("queue_time")
        self._log(unit, state, failure)

    def _log(self, unit: record.Unit, state: job.UnitState, failure: common.Failure | None) -> None:
        times = self._times.pop(unit.unit, None)
        log_unit(self.record, unit, state, self._time, failure, times)

    def queue(self, unit: record.Unit) -> None:
        """Queues a unit's first or next attempt."""
        unit.state = job.UNIT_STATE_QUEUED
        unit.attempt += 1
        unit.queue_time.CopyFrom(self._time)
        self._queued.append(unit)

    def retry(self, unit: record.Unit, failure: common.Failure, pause: timedelta) -> None:
        """Ends a unit's attempt and queues the next one after a pause."""
        self._log(unit, job.UNIT_STATE_QUEUED, failure)
        unit.pause.FromTimedelta(pause)
        self.queue(unit)

    def cut(self, facts: event.UnitFacts, outputs: Sequence[common.Blob]) -> list[record.Unit]:
        """Adds the units of the chunks that the recording was cut into.

        Args:
            facts: What the unit that cuts found.
            outputs: Where the pipeline has a node that is given, the outputs of its units.

        Returns:
            The units that are complete already.

        Raises:
            ValueError: There are not as many outputs as such units.
        """
        self.record.facts.CopyFrom(facts)
        if facts.without_summary and job.FEATURE_SUMMARY in self.record.config.features:
            self.record.config.features.remove(job.FEATURE_SUMMARY)
            if job.FEATURE_DIGEST in self.record.config.features:
                self.record.config.features.remove(job.FEATURE_DIGEST)
            self.record.config.ClearField("template_id")
        units = self.graph.pipeline.chunk_units(
            self.record.config,
            facts.chunk_count,
            self.record.units,
            self.record.added_features,
        )
        self.record.units.extend(tuple(units))
        self.graph = Graph(self.record)
        given = [unit for unit in self.record.units if self.graph.node(unit).given]
        for unit, output in zip(given, outputs, strict=True):
            unit.output.CopyFrom(output)
            self.end(unit, job.UNIT_STATE_COMPLETED)
        return given

    def skip_unneeded(self, ended: Sequence[record.Unit], facts: event.UnitFacts) -> None:
        """Skips the units that need one of these alone and are unneeded by the facts.

        The output of what they need replaces theirs.
        """
        unneeded = {
            node.name
            for node in self.graph.pipeline.nodes
            if node.unneeded is not None and node.unneeded(facts)
        }
        names = {unit.unit for unit in ended}
        for unit in self.record.units if unneeded else ():
            needs = self.graph.needs(unit) if node_name(unit.unit) in unneeded else []
            if len(needs) == 1 and needs[0].unit in names:
                unit.output.CopyFrom(needs[0].output)
                unit.span_id = needs[0].span_id
                self.end(unit, job.UNIT_STATE_SKIPPED)

    def give_up_optional(self, failure: common.Failure) -> None:
        """Ends the optional units that are not over. Those that wait have not failed themselves.

        Args:
            failure: Why the others did not end in time.
        """
        for unit in self.record.units:
            if not unit.is_optional or unit.state in ENDED_STATES:
                continue
            if unit.state == job.UNIT_STATE_QUEUED:
                late = common.Failure()
                late.CopyFrom(failure)
                late.unit = unit.unit
                self.end(unit, job.UNIT_STATE_FAILED, late)
            else:
                self.end(unit, job.UNIT_STATE_BLOCKED)

    def reopen(self, name: str) -> None:
        """Retries a final job: all failed units, or one of them, run again.

        Args:
            name: The unit; empty for all failed units.
        """
        # A unit comes after all that it needs, so one pass is enough.
        for unit in self.record.units:
            if self._runs_again(unit, name):
                unit.state = job.UNIT_STATE_WAITING
                unit.ClearField("failure")
                unit.ClearField("pause")
                unit.ClearField("queue_time")
        self.record.state = job.JOB_STATE_UNSPECIFIED

    def finish(self, policy: Policy) -> Step:
        """Queues units that can run now, blocks those that never can, and sets the job's state.

        As long as any unit can run, at least one is queued, and this runs each
        time a unit ends: so no window, and no change of it, can stall the job.
        """
        self.graph.keep_needs()
        queued = Counter(u.stage for u in self.record.units if u.state == job.UNIT_STATE_QUEUED)
        for unit in self._runnable():
            if queued[unit.stage] < policy.most_queued(unit.stage):
                queued[unit.stage] += 1
                self.queue(unit)
        self.enter(self._state())
        return Step(
            record=self.record,
            tasks=tuple(make_tasks(self.record, self.graph, self._queued)),
        )

    def _runnable(self) -> Iterator[record.Unit]:
        """The waiting units that could run now; those that never can are blocked."""
        # A unit comes after all that it needs, so one pass is enough.
        for unit in self.record.units:
            if unit.state == job.UNIT_STATE_WAITING:
                needed = {need.state for need in self.graph.needs(unit)}
                if needed & GIVEN_UP_STATES:
                    self.end(unit, job.UNIT_STATE_BLOCKED)
                elif needed <= ENDED_STATES and not self.record.held:
                    yield unit

    def _runs_again(self, unit: record.Unit, name: str) -> bool:
        match unit.state:
            case job.UNIT_STATE_QUEUED:
                # The cancellation purged its task.
                return True
            case job.UNIT_STATE_FAILED:
                return name in ("", unit.unit)
            case job.UNIT_STATE_BLOCKED:
                return not any(n.state in GIVEN_UP_STATES for n in self.graph.needs(unit))
            case _:
                return False

    def _state(self) -> job.JobState:
        """The job's state, from its units alone."""
        open_units = [unit for unit in self.record.units if unit.state not in ENDED_STATES]
        if not open_units:
            asked = (unit for unit in self.record.units if not unit.is_optional)
            lost = any(unit.state in GIVEN_UP_STATES for unit in asked)
            return job.JOB_STATE_FAILED if lost else job.JOB_STATE_COMPLETE
        asked_stages = {unit.stage for unit in open_units if not unit.is_optional}
        return self.graph.state(asked_stages or {unit.stage for unit in open_units})
