"""What holds after every single event, whatever the mesh does to a job."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1.record_pb2 import JobRecord
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_gateway.conductor import (
    ENDED_STATES,
    FINAL_STATES,
    Step,
    advance,
    can_retry,
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
    SPEAKERS,
    TEMPLATE,
    cancel,
    completed,
    failed,
    new_job,
    release,
    retry,
    started,
    update,
)
from tests.properties import examples

pytestmark = pytest.mark.unit

STAGES = (
    *(common.STAGE_ASR, common.STAGE_DIARIZATION),
    *(common.STAGE_ENHANCEMENT, common.STAGE_SUMMARY),
)
SETTLED = (job.UNIT_STATE_COMPLETED, job.UNIT_STATE_SKIPPED)


def inputs(task: event.StageTask) -> list[common.Blob]:
    """The blobs that a task reads, apart from the template and from a chunk."""
    match task.WhichOneof("request"):
        case "preprocess":
            return [task.preprocess.recording]
        case "enhancement":
            return [task.enhancement.transcript_blob]
        case "diarization" if task.diarization.HasField("words"):
            return [task.diarization.words.transcript, task.diarization.words.diarization]
        case "diarization":
            return list(task.diarization.voices.parts)
        case _:
            assert task.summary.template_blob == TEMPLATE
            source = task.summary.WhichOneof("source")
            if source == "reduce":
                return list(task.summary.reduce.parts)
            return [getattr(task.summary, source or "")]


def needs(unit: str, chunks: int, *, speakers: bool) -> list[str]:
    """The units that a unit needs: the design's picture, written down a second time."""
    stage, _, index = unit.rpartition(".")
    match stage:
        case "asr" | "diarization.map":
            return ["preprocess"]
        case "diarization":
            return [f"diarization.map.{index:04d}" for index in range(chunks)]
        case "diarization.merge":
            return [f"asr.{index}", "diarization.reduce"]
        case "enhancement":
            return [f"diarization.merge.{index}" if speakers else f"asr.{index}"]
        case "summary.map":
            return [f"enhancement.{index}"]
        case "summary" if chunks == 1:
            return ["enhancement.0000"]
        case "summary":
            return [f"summary.map.{index:04d}" for index in range(chunks)]
        case _:
            return []


class Mesh(RuleBasedStateMachine):
    """A job, workers that answer as they like, and a network that misbehaves."""

    record: JobRecord
    tasks: list[event.StageTask]

    @initialize(features=st.sets(st.sampled_from(ALL_FEATURES), min_size=1), held=st.booleans())
    def submit(self, features: set[job.Feature], held: bool) -> None:
        step = new_job(features, held=held)
        self.policy = POLICY
        # The attempt of each unit when the job was last taken up.
        self.base: Counter[str] = Counter()
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

    @rule(window=st.dictionaries(st.sampled_from(STAGES), st.integers(0, 3)))
    def change_the_workers(self, window: dict[common.Stage, int]) -> None:
        self.policy = replace(POLICY, window=window)

    @rule(crash=st.booleans())
    def release(self, crash: bool) -> None:
        self._tell(release(), crash)
        assert not self.record.held or self.record.state in FINAL_STATES

    @rule(data=st.data(), one=st.booleans(), crash=st.booleans())
    def retry(self, data: st.DataObject, one: bool, crash: bool) -> None:
        names = [unit.unit for unit in self.record.units]
        told = retry(data.draw(st.sampled_from(names)) if one else "")
        expected = can_retry(self.record, self.policy, told.unit)
        if expected:
            self.base.update({u.unit: u.attempt - self.base[u.unit] for u in self.record.units})
        self._tell(told, crash)
        assert (self.record.state in FINAL_STATES) <= (not expected)

    @rule(
        name=st.none() | st.text(max_size=3),
        labels=st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "d"])),
    )
    def rename(self, name: str | None, labels: dict[str, str]) -> None:
        before = JobRecord()
        before.CopyFrom(self.record)
        self._tell(update(name, **labels), crash=False)
        assert {k: v for k, v in labels.items() if v}.items() <= self.record.labels.items()
        after = JobRecord()
        after.CopyFrom(self.record)
        for one in (before, after):
            one.ClearField("display_name")
            one.ClearField("labels")
        assert before == after

    def _tell(self, told: event.StageEvent, crash: bool) -> None:
        before = JobRecord()
        before.CopyFrom(self.record)
        step = advance(self.record, told, self.policy, NOW)
        assert self.record == before
        self._check(before, step, told)
        self.record = step.record
        if told.worker:
            self.history.append(told)
        # Tasks are kept after their answer: a worker may answer an old attempt any time.
        self.tasks += () if crash else step.tasks

    def _check(self, before: JobRecord, step: Step, told: event.StageEvent) -> None:
        reopened = told.HasField("retry_requested")
        assert step.changed == (step.record != before)
        assert step.changed or (step.record is self.record and not step.tasks)
        assert list(step.record.log[: len(before.log)]) == list(before.log)
        assert reopened or step.record.state >= before.state
        if before.state in FINAL_STATES:
            assert not step.changed or reopened or told.HasField("job_updated")
        for old, new in zip(before.units, step.record.units, strict=False):
            assert old.unit == new.unit
            assert new.attempt >= old.attempt
            assert old.state not in (SETTLED if reopened else ENDED_STATES) or new == old
            assert not old.HasField("output") or new.output == old.output
        self._check_window(before, step.record)
        for task in step.tasks:
            self._check_task(step.record, task)

    def _check_window(self, before: JobRecord, after: JobRecord) -> None:
        queued, queued_before = (
            Counter(unit.stage for unit in source.units if unit.state == job.UNIT_STATE_QUEUED)
            for source in (after, before)
        )
        for stage, count in queued.items():
            # The window may have shrunk since units were queued.
            assert count <= max(self.policy.most_queued(stage), queued_before[stage])

    def _check_task(self, source: JobRecord, task: event.StageTask) -> None:
        assert task_id(task) not in self.issued
        self.issued[task_id(task)] = task
        units = {unit.unit: unit for unit in source.units}
        speakers = SPEAKERS in source.config.features
        names = needs(task.unit, source.facts.chunk_count, speakers=speakers)
        needed = [units[name] for name in names]
        assert all(unit.state in SETTLED for unit in needed)
        heard = task.asr if task.HasField("asr") else task.diarization
        if heard.HasField("speech_chunk"):
            assert heard.speech_chunk == preprocess.Chunk(index=units[task.unit].index)
        else:
            outputs = [unit.output for unit in needed] if needed else self._first(task)
            assert inputs(task) == outputs
        assert units[task.unit].state == job.UNIT_STATE_QUEUED
        tries = task.attempt - self.base[task.unit]
        assert units[task.unit].attempt == task.attempt
        assert 1 <= tries <= POLICY.max_retries + 1
        assert task.HasField("pause") == (tries > 1)
        assert not source.held

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
            assert ended or self.record.held or pending_tasks(self.record)
        assert not (self.record.held and pending_tasks(self.record))

    @invariant()
    def the_log_and_the_view_agree_with_the_record(self) -> None:
        events = log_events(self.record)
        states = [e.state_changed.state for e in events if e.HasField("state_changed")]
        rounds: list[list[job.JobState]] = [[]]
        for state in states:
            rounds[-1].append(state)
            if state in FINAL_STATES:
                rounds.append([])
        assert all(states == sorted(set(states)) for states in rounds)
        assert states[-1] == self.record.state == job_view(self.record).state
        assert [e.sequence for e in events] == list(range(1, len(events) + 1))
        ended = [(e.unit_ended.unit, e.unit_ended.attempt) for e in events if e.unit_ended.attempt]
        assert len(ended) == len(set(ended))

    def teardown(self) -> None:
        """Lets the mesh recover: every job ends, stays as it is, and a retry makes it whole."""
        self.release(crash=True)
        self._work_off()
        assert self.record.state in FINAL_STATES
        for told in list(self.history):
            end = self.record
            self._tell(told, crash=False)
            assert self.record is end
        while can_retry(self.record, self.policy):
            self.base.update({u.unit: u.attempt - self.base[u.unit] for u in self.record.units})
            self._tell(retry(), crash=True)
            self.release(crash=True)
            self._work_off()
        assert self.record.state == job.JOB_STATE_COMPLETE

    def _work_off(self) -> None:
        while tasks := pending_tasks(self.record):
            self._tell(completed(tasks[0], chunks=2), crash=True)


TestMesh = Mesh.TestCase
TestMesh.settings = settings(max_examples=examples(100), stateful_step_count=40)
