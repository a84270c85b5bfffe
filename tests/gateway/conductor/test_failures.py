"""What becomes of a job whose units fail, or that is cancelled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from maie_gateway.conductor import Policy, Step, advance, job_view, pending_tasks, task_id
from tests.gateway.conductor.world import (
    CLEAN,
    NOW,
    POLICY,
    RAW,
    all_well,
    cancel,
    completed,
    failed,
    log_lines,
    names,
    new_job,
    run,
    started,
    task_of,
    unit_states,
)

pytestmark = pytest.mark.unit


def cut(features=(CLEAN,), chunks: int = 2) -> Step:
    """A job whose recording was just cut."""
    step = new_job(features)
    return advance(step.record, completed(step.tasks[0], chunks=chunks), POLICY, NOW)


def test_a_transient_failure_is_tried_again_after_a_pause() -> None:
    step = cut()
    first = task_of(step, "asr.0001")
    step = advance(step.record, failed(first, retryable=True), POLICY, NOW)
    (again,) = step.tasks
    assert (again.unit, again.attempt) == ("asr.0001", 2)
    assert again.asr == first.asr
    assert timedelta(seconds=0.8) < again.pause.ToTimedelta() <= timedelta(seconds=1)
    assert log_lines(step.record)[-1] == "asr.0001/1 QUEUED"
    assert unit_states(step.record)["asr.0001"] == "QUEUED"


def test_pauses_grow_to_a_cap_and_differ_between_units() -> None:
    policy = Policy(jitter=0.0)
    pauses = [policy.pause(attempt, "j/u/1").total_seconds() for attempt in (1, 2, 3, 4, 5, 5000)]
    assert pauses == [1, 4, 16, 60, 60, 60]
    jittered = {POLICY.pause(1, f"j/asr.{index:04d}/1") for index in range(100)}
    assert len(jittered) == 100
    assert all(timedelta(seconds=0.8) < pause <= timedelta(seconds=1) for pause in jittered)
    assert POLICY.pause(1, "j/u/1") == POLICY.pause(1, "j/u/1")


def test_a_unit_is_given_up_after_two_retries() -> None:
    def answer(task):
        if task.unit == "asr.0000":
            return failed(task, retryable=True)
        return completed(task, chunks=2)

    step = run(new_job(), answer)
    asr_lines = [line for line in log_lines(step.record) if line.startswith("asr.0000")]
    assert asr_lines == ["asr.0000/1 QUEUED", "asr.0000/2 QUEUED", "asr.0000/3 FAILED"]
    assert unit_states(step.record)["asr.0000"] == "FAILED"


def test_a_permanent_failure_is_not_tried_again() -> None:
    step = cut()
    step = advance(step.record, failed(task_of(step, "asr.0000"), retryable=False), POLICY, NOW)
    assert step.tasks == ()
    assert unit_states(step.record)["asr.0000"] == "FAILED"


def test_a_failed_chunk_blocks_what_needs_it_and_nothing_else() -> None:
    def answer(task):
        if task.unit == "asr.0000":
            return failed(task, retryable=False)
        return completed(task, chunks=2)

    step = run(new_job(), answer)
    assert unit_states(step.record) == {
        "preprocess": "COMPLETED",
        "asr.0000": "FAILED",
        "asr.0001": "COMPLETED",
        "enhancement.0000": "BLOCKED",
        "enhancement.0001": "COMPLETED",
        "summary.map.0000": "BLOCKED",
        "summary.map.0001": "COMPLETED",
        "summary.reduce": "BLOCKED",
    }
    assert log_lines(step.record)[-1] == "FAILED"
    assert "enhancement.0000/0 BLOCKED" in log_lines(step.record)


def test_a_failed_summary_keeps_the_transcripts() -> None:
    def answer(task):
        if task.unit == "summary.reduce":
            return failed(task, retryable=False, message="It never fitted the template.")
        return completed(task, chunks=2)

    step = run(new_job(), answer)
    view = job_view(step.record)
    assert log_lines(step.record)[-1] == "FAILED"
    assert [(f.unit, f.message) for f in view.failures] == [
        ("summary.reduce", "It never fitted the template.")
    ]
    assert all(u.HasField("output") for u in step.record.units if u.unit != "summary.reduce")


def test_a_recording_that_cannot_be_read_fails_the_job() -> None:
    step = run(new_job(), lambda task: failed(task, retryable=False))
    assert log_lines(step.record)[2:] == ["PREPROCESSING", "preprocess/1 FAILED", "FAILED"]


def test_more_chunks_than_a_record_can_hold_fail_with_advice() -> None:
    step = run(new_job(), all_well(POLICY.max_chunks + 1))
    (failure,) = job_view(step.record).failures
    assert failure.reason == "TOO_MANY_CHUNKS"
    assert "chunk_duration" in failure.message
    assert log_lines(step.record)[-1] == "FAILED"


def test_a_failure_of_any_length_is_stored_short() -> None:
    step = cut((RAW,), chunks=1)
    told = failed(task_of(step, "asr.0000"), retryable=False, message="x" * 100_000)
    told.failed.failure.reason = "X" * 100_000
    step = advance(step.record, told, POLICY, NOW)
    assert step.record.ByteSize() < 4_000


@pytest.mark.parametrize("chunks", [0, 2])
def test_cancelling_ends_an_unfinished_job_at_once(chunks: int) -> None:
    step = new_job()
    if chunks:
        step = advance(step.record, completed(step.tasks[0], chunks=chunks), POLICY, NOW)
    task = step.tasks[0]
    step = advance(step.record, cancel(), POLICY, NOW)
    assert step.tasks == ()
    assert pending_tasks(step.record) == []
    assert log_lines(step.record)[-1] == "CANCELLED"
    late = advance(step.record, completed(task, chunks=1), POLICY, NOW)
    assert late.record is step.record
    assert not late.changed


def test_cancelling_a_finished_job_changes_nothing() -> None:
    done = run(new_job((RAW,)), all_well(1)).record
    assert not advance(done, cancel(), POLICY, NOW).changed


def test_what_is_old_unknown_or_told_twice_changes_nothing() -> None:
    step = cut()
    first, second = step.tasks
    step = advance(step.record, completed(second), POLICY, NOW)
    step = advance(step.record, failed(first, retryable=True), POLICY, NOW)
    alien = completed(second)
    alien.unit = "asr.0099"
    waiting = completed(second)
    waiting.unit, waiting.attempt = "enhancement.0000", 0
    elsewhere = completed(step.tasks[0])
    elsewhere.job_id = "another"
    dull = [completed(first), failed(first, retryable=True), completed(second, content="other")]
    for told in [*dull, failed(second, retryable=False), started(first), alien, waiting, elsewhere]:
        after = advance(step.record, told, POLICY, NOW)
        assert after.record is step.record
        assert (after.changed, after.tasks) == (False, ())


def test_a_start_shows_in_the_state_once() -> None:
    step = new_job()
    told = started(step.tasks[0])
    begun = advance(step.record, told, POLICY, NOW)
    assert log_lines(begun.record)[-1] == "PREPROCESSING"
    assert begun.tasks == ()
    assert not advance(begun.record, told, POLICY, NOW).changed


def test_lost_tasks_are_issued_again_unchanged() -> None:
    step = cut(chunks=3)
    step2 = advance(step.record, failed(step.tasks[0], retryable=True), POLICY, NOW)
    assert pending_tasks(step.record) == list(step.tasks)
    assert pending_tasks(step2.record) == [step2.tasks[0], *step.tasks[1:]]
    assert names(pending_tasks(run(step, all_well(3)).record)) == []


def test_each_attempt_has_its_own_id() -> None:
    step = cut()
    again = advance(step.record, failed(step.tasks[0], retryable=True), POLICY, NOW)
    assert task_id(step.tasks[0]).endswith("/asr.0000/1")
    assert task_id(again.tasks[0]).endswith("/asr.0000/2")
