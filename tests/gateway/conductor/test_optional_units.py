"""What nobody asked for: a job has it where it is there in time, and is complete without it."""

from __future__ import annotations

import pytest

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie_gateway.conductor import (
    Step,
    advance,
    dead_letters,
    has_given_up_optional,
    has_optional_units_alone,
    job_view,
    may_publish,
    pending_tasks,
)
from tests.gateway.conductor.world import (
    CLEAN,
    NOW,
    POLICY,
    QUALITY,
    RAW,
    cancel,
    completed,
    failed,
    late,
    log_lines,
    names,
    new_job,
    retry,
    run,
    unit_states,
)

pytestmark = pytest.mark.unit


def cut(chunks: int = 2, features=(RAW,)) -> Step:
    """A job whose recording was just cut, in a mesh that measures the sound."""
    step = new_job(features, added=[QUALITY])
    return advance(step.record, completed(step.tasks[0], chunks=chunks), POLICY, NOW)


def waiting() -> Step:
    """A job of which only the report is not there."""
    step = cut()
    for task in step.tasks:
        if task.stage == common.STAGE_ASR:
            step = advance(step.record, completed(task), POLICY, NOW)
    return step


def lose_quality(task: event.StageTask) -> event.StageEvent:
    """The answers of a mesh whose quality worker fails."""
    if task.stage == common.STAGE_QUALITY:
        return failed(task, retryable=False)
    return completed(task, chunks=2)


def test_the_units_of_what_is_added_are_optional() -> None:
    units = {unit.unit: unit.is_optional for unit in cut().record.units}
    assert units == {
        "preprocess": False,
        "asr.0000": False,
        "asr.0001": False,
        "quality.map.0000": True,
        "quality.map.0001": True,
        "quality.reduce": True,
    }


def test_what_was_asked_for_is_not_optional_though_it_is_added_too() -> None:
    step = cut(features=(RAW, QUALITY))
    assert not any(unit.is_optional for unit in step.record.units)
    assert unit_states(run(step, lose_quality).record)["quality.map.0000"] == "FAILED"
    assert run(step, lose_quality).record.state == job.JOB_STATE_FAILED


def test_a_job_waits_a_little_and_has_the_report() -> None:
    step = waiting()
    assert step.record.state == job.JOB_STATE_PROCESSING_ASR
    assert has_optional_units_alone(step.record)
    queued = pending_tasks(step.record)
    assert names(queued) == ["quality.map.0000", "quality.map.0001"]
    done = run(Step(record=step.record, tasks=tuple(queued)), completed)
    assert done.record.state == job.JOB_STATE_COMPLETE
    assert unit_states(done.record)["quality.reduce"] == "COMPLETED"
    assert not has_given_up_optional(done.record)


def test_a_job_is_complete_though_its_report_failed() -> None:
    done = run(cut(), lose_quality).record
    assert done.state == job.JOB_STATE_COMPLETE
    assert unit_states(done)["quality.reduce"] == "BLOCKED"
    assert has_given_up_optional(done)
    assert not job_view(done).failures
    assert not dead_letters(None, done)


def test_a_job_ends_without_a_report_that_is_late() -> None:
    step = waiting()
    done = advance(step.record, late(), POLICY, NOW)
    assert done.record.state == job.JOB_STATE_COMPLETE
    assert log_lines(done.record)[-4:] == [
        "quality.map.0000/1 FAILED",
        "quality.map.0001/1 FAILED",
        "quality.reduce/0 BLOCKED",
        "COMPLETE",
    ]
    assert not done.tasks
    assert not pending_tasks(done.record)
    # What the worker reports later changes nothing, nor does another gateway's scan.
    for after in (completed(pending_tasks(step.record)[0]), late()):
        assert not advance(done.record, after, POLICY, NOW).changed


def test_a_job_that_lost_what_was_asked_for_fails_all_the_same() -> None:
    step = cut()
    for task in step.tasks:
        if task.stage == common.STAGE_ASR:
            step = advance(step.record, failed(task, retryable=False), POLICY, NOW)
    done = advance(step.record, late(), POLICY, NOW).record
    assert done.state == job.JOB_STATE_FAILED
    assert [failure.unit for failure in job_view(done).failures] == ["asr.0000", "asr.0001"]


def test_the_work_of_a_job_that_failed_is_stopped_too() -> None:
    step = cut()
    for task in step.tasks:
        if task.stage == common.STAGE_ASR:
            step = advance(step.record, failed(task, retryable=False), POLICY, NOW)
    assert not has_given_up_optional(step.record)
    assert has_given_up_optional(advance(step.record, late(), POLICY, NOW).record)


def test_a_report_that_failed_and_is_tried_again_is_late_as_well() -> None:
    step = waiting()
    (first, *_) = pending_tasks(step.record)
    again = advance(step.record, failed(first, retryable=True), POLICY, NOW)
    assert [(task.unit, task.attempt) for task in again.tasks] == [("quality.map.0000", 2)]
    assert has_optional_units_alone(again.record)
    done = advance(again.record, late(), POLICY, NOW).record
    assert done.state == job.JOB_STATE_COMPLETE
    assert not advance(done, completed(again.tasks[0]), POLICY, NOW).changed


def test_a_held_job_is_not_late() -> None:
    cancelled = advance(waiting().record, cancel(), POLICY, NOW).record
    assert not has_optional_units_alone(cancelled)
    cancelled.held = True
    held = advance(cancelled, retry(), POLICY, NOW).record
    assert not has_optional_units_alone(held)
    assert not advance(held, late(), POLICY, NOW).changed


@pytest.mark.parametrize("features", [(RAW,), (CLEAN,)])
def test_nothing_is_late_while_other_units_are_open(features) -> None:
    step = cut(features=features)
    assert not has_optional_units_alone(step.record)
    assert not advance(step.record, late(), POLICY, NOW).changed


def test_a_retry_measures_again_what_was_given_up() -> None:
    cancelled = advance(cut().record, cancel(), POLICY, NOW).record
    again = advance(cancelled, retry(), POLICY, NOW)
    assert "quality.map.0000" in names(again.tasks)
    done = run(again, completed).record
    assert done.state == job.JOB_STATE_COMPLETE
    assert unit_states(done)["quality.reduce"] == "COMPLETED"


def test_a_recording_without_speech_has_a_report() -> None:
    done = run(cut(chunks=0), completed).record
    assert unit_states(done) == {"preprocess": "COMPLETED", "quality.reduce": "COMPLETED"}


def test_progress_has_the_stage_from_the_beginning() -> None:
    begun = new_job((RAW,), added=[QUALITY]).record
    stages = [each.stage for each in job_view(begun).progress]
    assert stages == [common.STAGE_PREPROCESS, common.STAGE_ASR, common.STAGE_QUALITY]
    done = advance(waiting().record, late(), POLICY, NOW).record
    assert [each.fraction for each in job_view(done).progress] == [1.0, 1.0, 1.0]


def test_a_gateway_of_the_release_before_makes_none_and_nothing_waits_for_it() -> None:
    step = new_job((RAW,), added=[QUALITY])
    # It does not know the field, and cuts by the config alone.
    before = type(step.record)()
    before.CopyFrom(step.record)
    before.ClearField("added_features")
    step = advance(before, completed(step.tasks[0], chunks=1), POLICY, NOW)
    step.record.added_features.append(QUALITY)
    done = run(step, completed).record
    assert done.state == job.JOB_STATE_COMPLETE
    assert set(unit_states(done)) == {"preprocess", "asr.0000"}


def test_no_worker_may_end_what_is_optional() -> None:
    source = waiting().record
    forged = late()
    for unit in ("", "quality.map.0000"):
        forged.unit = unit
        assert not may_publish("quality", forged, source)
