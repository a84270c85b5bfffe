"""What holds after every single event, whatever the mesh does to a job."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import (
    ENDED_STATES,
    FINAL_STATES,
    Step,
    advance,
    job_view,
    log_events,
    pending_tasks,
    task_id,
)
from tests.gateway.conductor.world import (
    ALL_FEATURES,
    NOW,
    POLICY,
    RECORDING,
    TEMPLATE,
    cancel,
    completed,
    failed,
    new_job,
    started,
)

pytestmark = pytest.mark.unit

SETTLED = (job.UNIT_STATE_COMPLETED, job.UNIT_STATE_SKIPPED)


def inputs(task: event.StageTask) -> list[common.Blob]:
    """The blobs that a task reads, apart from the template."""
    match task.WhichOneof("request"):
        case "preprocess":
            return [task.preprocess.recording]
        case "asr":
            return [task.asr.chunk.plan]
        case "enhancement":
            return [task.enhancement.transcript_blob]
        case _:
            assert task.summary.template_blob == TEMPLATE
            reduce = task.summary.WhichOneof("source") == "reduce"
            return list(task.summary.reduce.parts) if reduce else [task.summary.map]


def needs(unit: str, chunks: int) -> list[str]:
    """The units that a unit needs: the design's picture, written down a second time."""
    stage, _, index = unit.rpartition(".")
    match stage:
        case "asr":
            return ["preprocess"]
        case "enhancement":
            return [f"asr.{index}"]
        case "summary.map":
            return [f"enhancement.{index}"]
        case "summary":
            return [f"summary.map.{index:04d}" for index in range(chunks)]
        case _:
            return []


class Mesh(RuleBasedStateMachine):
    """A job, workers that answer as they like, and a network that misbehaves."""

    record: record.JobRecord
    tasks: list[event.StageTask]

    @initialize(features=st.sets(st.sampled_from(ALL_FEATURES), min_size=1))
    def submit(self, features: set[job.Feature]) -> None:
        step = new_job(features)
        self.record = step.record
        self.tasks = list(step.tasks)
        self.issued = {task_id(task): task for task in step.tasks}
        self.history: list[event.StageEvent] = []
        self.contents = 0

    @rule(data=st.data(), chunks=st.integers(0, 4), punctuated=st.booleans(), crash=st.booleans())
    @precondition(lambda self: self.tasks)
    def complete(self, data: st.DataObject, chunks: int, punctuated: bool, crash: bool) -> None:
        task = data.draw(st.sampled_from(self.tasks))
        self.contents += 1
        told = completed(task, chunks=chunks, punctuated=punctuated, content=str(self.contents))
        self._tell(told, crash)

    @rule(data=st.data(), retryable=st.booleans(), crash=st.booleans())
    @precondition(lambda self: self.tasks)
    def fail(self, data: st.DataObject, retryable: bool, crash: bool) -> None:
        self._tell(failed(data.draw(st.sampled_from(self.tasks)), retryable=retryable), crash)

    @rule(data=st.data())
    @precondition(lambda self: self.tasks)
    def start(self, data: st.DataObject) -> None:
        self._tell(started(data.draw(st.sampled_from(self.tasks))), crash=False)

    @rule(data=st.data(), crash=st.booleans())
    @precondition(lambda self: self.history)
    def repeat(self, data: st.DataObject, crash: bool) -> None:
        self._tell(data.draw(st.sampled_from(self.history)), crash)

    @rule()
    def republish(self) -> None:
        for task in pending_tasks(self.record):
            assert task == self.issued[task_id(task)]
            self.tasks.append(task)

    @rule(sure=st.integers(0, 9))
    def cancel(self, sure: int) -> None:
        # Rare, or most jobs would end before anything happened.
        if sure == 0:
            self._tell(cancel(), crash=False)

    def _tell(self, told: event.StageEvent, crash: bool) -> None:
        before = record.JobRecord()
        before.CopyFrom(self.record)
        step = advance(self.record, told, POLICY, NOW)
        assert self.record == before
        self._check(before, step)
        self.record = step.record
        self.history.append(told)
        # Tasks are kept after their answer: a worker may answer an old attempt any time.
        self.tasks += () if crash else step.tasks

    def _check(self, before: record.JobRecord, step: Step) -> None:
        assert step.changed == (step.record != before)
        assert step.changed or (step.record is self.record and not step.tasks)
        assert list(step.record.log[: len(before.log)]) == list(before.log)
        assert step.record.state >= before.state
        if before.state in FINAL_STATES:
            assert not step.changed
        for old, new in zip(before.units, step.record.units, strict=False):
            assert old.unit == new.unit
            assert new.attempt >= old.attempt
            assert old.state not in ENDED_STATES or new == old
        for task in step.tasks:
            self._check_task(step.record, task)

    def _check_task(self, source: record.JobRecord, task: event.StageTask) -> None:
        assert task_id(task) not in self.issued
        self.issued[task_id(task)] = task
        units = {unit.unit: unit for unit in source.units}
        needed = [units[name] for name in needs(task.unit, source.facts.chunk_count)]
        assert all(unit.state in SETTLED for unit in needed)
        assert inputs(task) == ([unit.output for unit in needed] if needed else self._first(task))
        assert units[task.unit].state == job.UNIT_STATE_QUEUED
        assert units[task.unit].attempt == task.attempt <= POLICY.max_retries + 1
        assert task.HasField("not_before") == (task.attempt > 1)

    @staticmethod
    def _first(task: event.StageTask) -> list[common.Blob]:
        return [RECORDING] if task.unit == "preprocess" else []

    @invariant()
    def every_queued_unit_was_issued(self) -> None:
        assert {task_id(task) for task in pending_tasks(self.record)} <= set(self.issued)

    @invariant()
    def a_job_is_over_exactly_when_nothing_is_left_to_run(self) -> None:
        ended = all(unit.state in ENDED_STATES for unit in self.record.units)
        if self.record.state != job.JOB_STATE_CANCELLED:
            assert (self.record.state in FINAL_STATES) == ended
            assert ended or pending_tasks(self.record)

    @invariant()
    def the_log_and_the_view_agree_with_the_record(self) -> None:
        events = log_events(self.record)
        states = [e.state_changed.state for e in events if e.HasField("state_changed")]
        assert states == sorted(set(states))
        assert states[-1] == self.record.state == job_view(self.record).state
        assert [e.sequence for e in events] == list(range(1, len(events) + 1))

    def teardown(self) -> None:
        """Lets the mesh recover: every job ends, and stays as it is."""
        while tasks := pending_tasks(self.record):
            self._tell(completed(tasks[0], chunks=2), crash=True)
        assert self.record.state in FINAL_STATES
        for told in list(self.history):
            self._tell(told, crash=False)


TestMesh = Mesh.TestCase
TestMesh.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
