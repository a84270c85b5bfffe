"""What people, and a tenant's turn, do to a job."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_gateway.conductor import (
    Policy,
    Step,
    advance,
    can_retry,
    dead_letters,
    job_view,
    lane,
    log_events,
    pending_tasks,
    task_id,
)
from tests.gateway.conductor.world import (
    CLEAN,
    EVERY_STAGE,
    NOW,
    POLICY,
    RAW,
    SUMMARY,
    all_well,
    cancel,
    completed,
    failed,
    log_lines,
    names,
    new_job,
    release,
    retry,
    revise,
    run,
    started,
    unit_states,
    update,
)

pytestmark = pytest.mark.unit

ONE_WORKER = replace(POLICY, window=dict.fromkeys(EVERY_STAGE, 1))


def failing(*units: str, chunks: int = 2) -> Step:
    """A job that ended because some units failed for good."""

    def answer(task):
        if task.unit in units:
            return failed(task, retryable=False)
        return completed(task, chunks=chunks)

    return run(new_job((CLEAN, SUMMARY)), answer)


def test_a_retry_takes_up_what_failed_and_nothing_else() -> None:
    before = failing("asr.0000").record
    step = advance(before, retry(), POLICY, NOW)
    (task,) = step.tasks
    assert task_id(task).endswith("/asr.0000/2")
    assert not task.HasField("pause")
    assert log_lines(step.record)[-2:] == ["FAILED", "PROCESSING_ASR"]
    assert list(job_view(step.record).failures) == []
    assert not job_view(step.record).HasField("finish_time")
    done = run(step, all_well(2)).record
    assert log_lines(done)[-1] == "COMPLETE"
    assert set(unit_states(done).values()) == {"COMPLETED"}
    kept = [unit for unit in before.units if unit.state == job.UNIT_STATE_COMPLETED]
    assert all(unit in done.units for unit in kept)


def test_a_retry_of_one_unit_leaves_the_other_failures() -> None:
    step = advance(failing("asr.0000", "asr.0001").record, retry("asr.0001"), POLICY, NOW)
    assert names(step.tasks) == ["asr.0001"]
    done = run(step, all_well(2)).record
    assert log_lines(done)[-1] == "FAILED"
    assert unit_states(done)["summary.map.0001"] == "COMPLETED"
    assert unit_states(done)["summary.map.0000"] == "BLOCKED"


def test_a_retry_goes_back_to_where_the_work_is() -> None:
    unread = run(new_job(), lambda task: failed(task, retryable=False)).record
    step = advance(unread, retry(), POLICY, NOW)
    assert log_lines(step.record)[-1] == "PENDING"
    begun = advance(step.record, started(step.tasks[0]), POLICY, NOW)
    assert log_lines(begun.record)[-1] == "PREPROCESSING"
    summed = advance(failing("summary.reduce").record, retry(), POLICY, NOW)
    assert log_lines(summed.record)[-1] == "PROCESSING_LLM"


def test_a_retry_grants_the_automatic_retries_anew() -> None:
    step = run(new_job((RAW,)), lambda task: failed(task, retryable=True))
    step = run(
        advance(step.record, retry(), POLICY, NOW), lambda task: failed(task, retryable=True)
    )
    lines = [line for line in log_lines(step.record) if line.startswith("preprocess")]
    assert lines == [
        *("preprocess/1 QUEUED", "preprocess/2 QUEUED", "preprocess/3 FAILED"),
        *("preprocess/4 QUEUED", "preprocess/5 QUEUED", "preprocess/6 FAILED"),
    ]


def test_a_cancelled_job_goes_on_where_it_was() -> None:
    step = new_job((RAW,))
    step = advance(step.record, completed(step.tasks[0], chunks=2), POLICY, NOW)
    old, other = step.tasks
    step = advance(step.record, completed(other), POLICY, NOW)
    step = advance(step.record, cancel(), POLICY, NOW)
    step = advance(step.record, retry(), POLICY, NOW)
    assert [(task.unit, task.attempt) for task in step.tasks] == [("asr.0000", 2)]
    assert not advance(step.record, completed(old), POLICY, NOW).changed
    assert log_lines(run(step, all_well(2)).record)[-1] == "COMPLETE"


def test_a_job_that_is_complete_or_in_work_is_not_retried() -> None:
    complete = run(new_job((RAW,)), all_well(1)).record
    in_work = new_job().record
    failed_job = failing("asr.0000").record
    for source, unit in [
        (complete, ""),
        (in_work, ""),
        (failed_job, "asr.0001"),
        (failed_job, "x"),
    ]:
        assert not can_retry(source, POLICY, unit)
        assert not advance(source, retry(unit), POLICY, NOW).changed


def test_a_record_never_outgrows_its_message() -> None:
    step = new_job()
    step = advance(step.record, completed(step.tasks[0], chunks=50), POLICY, NOW)
    rounds = 0
    while True:
        step = run(step, lambda task: failed(task, retryable=True, message="x" * 1000))
        assert step.record.ByteSize() < POLICY.max_record_bytes
        if not can_retry(step.record, POLICY):
            break
        step = advance(step.record, retry(), POLICY, NOW)
        rounds += 1
    assert rounds > 3


def test_a_failure_after_a_retry_is_a_dead_letter_of_its_own() -> None:
    first = failing("asr.0000").record
    again = run(
        advance(first, retry(), POLICY, NOW), lambda task: failed(task, retryable=False)
    ).record
    letters = dead_letters(first, again)
    assert [(letter.task.unit, letter.task.attempt) for letter in letters] == [("asr.0000", 2)]
    assert dead_letters(None, again) == letters


def test_a_held_job_has_no_task_until_its_turn_comes() -> None:
    step = new_job(held=True)
    assert step.tasks == ()
    assert pending_tasks(step.record) == []
    assert log_lines(step.record) == ["accepted", "PENDING"]
    step = advance(step.record, release(), POLICY, NOW)
    assert [task_id(task)[-13:] for task in step.tasks] == ["/preprocess/1"]
    assert not step.record.held
    assert log_lines(step.record) == ["accepted", "PENDING"]
    assert not advance(step.record, release(), POLICY, NOW).changed
    assert log_lines(run(step, all_well(1)).record)[-1] == "COMPLETE"


def test_a_held_job_that_was_cancelled_waits_for_its_turn_again() -> None:
    step = advance(new_job(held=True).record, cancel(), POLICY, NOW)
    assert not advance(step.record, release(), POLICY, NOW).changed
    step = advance(step.record, retry(), POLICY, NOW)
    assert log_lines(step.record)[2:] == ["CANCELLED", "PENDING"]
    assert step.tasks == ()
    assert names(advance(step.record, release(), POLICY, NOW).tasks) == ["preprocess"]


def test_no_more_units_are_queued_than_the_window_has_room_for() -> None:
    policy = replace(POLICY, window={common.STAGE_ASR: 2})
    step = new_job((RAW,))
    step = advance(step.record, completed(step.tasks[0], chunks=4), policy, NOW)
    assert names(step.tasks) == ["asr.0000", "asr.0001"]
    step = advance(step.record, completed(step.tasks[1]), policy, NOW)
    assert names(step.tasks) == ["asr.0002"]


@pytest.mark.parametrize("window", [-1, 0, 1])
def test_a_window_of_nothing_strands_no_job(window: int) -> None:
    policy = Policy(window=dict.fromkeys(EVERY_STAGE, window))
    done = run(new_job(), all_well(5), policy=policy).record
    assert log_lines(done)[-1] == "COMPLETE"


def test_workers_that_come_later_get_their_share() -> None:
    step = new_job((RAW,))
    step = advance(step.record, completed(step.tasks[0], chunks=4), ONE_WORKER, NOW)
    assert names(step.tasks) == ["asr.0000"]
    wider = replace(POLICY, window={common.STAGE_ASR: 3})
    step = advance(step.record, release(), wider, NOW)
    assert names(step.tasks) == ["asr.0001", "asr.0002"]
    assert not advance(step.record, release(), wider, NOW).changed


def test_a_job_is_called_what_its_config_says_or_like_its_file() -> None:
    named = new_job(filename="a.wav", display_name="Board", labels={"team": "red"})
    view = job_view(named.record)
    assert (view.tenant, view.display_name, dict(view.labels)) == ("acme", "Board", {"team": "red"})
    assert job_view(new_job(filename="a.wav").record).display_name == "a.wav"


def test_a_job_is_renamed_and_labelled_in_any_state() -> None:
    for source in (new_job().record, failing("asr.0000").record, new_job(held=True).record):
        step = advance(source, update("Board", team="red", room="4"), POLICY, NOW)
        step = advance(step.record, update(team="", room="5"), POLICY, NOW)
        assert (step.record.display_name, dict(step.record.labels)) == ("Board", {"room": "5"})
        assert step.record.log == source.log
        assert not advance(step.record, update("Board", room="5"), POLICY, NOW).changed


def test_a_job_has_only_so_many_labels() -> None:
    many = {f"k{number}": "x" for number in range(POLICY.max_labels)}
    step = advance(new_job().record, update(**many), POLICY, NOW)
    assert not advance(step.record, update(one_more="x"), POLICY, NOW).changed
    assert advance(step.record, update(k0="", one_more="x"), POLICY, NOW).changed


def test_no_view_shows_a_secret() -> None:
    webhook = job.Webhook(url="https://example.org/hook", secret="s3cret")
    source = new_job(webhooks=[webhook]).record
    assert job_view(source).config.webhooks[0].url == webhook.url
    assert b"s3cret" not in job_view(source).SerializeToString()
    assert source.config.webhooks[0].secret == "s3cret"


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (job.LANE_UNSPECIFIED, "batch"),
        (job.LANE_BATCH, "batch"),
        (job.LANE_INTERACTIVE, "interactive"),
    ],
)
def test_a_job_waits_in_the_lane_that_was_asked_for(asked: job.Lane, name: str) -> None:
    assert lane(new_job(lane=asked).record) == name


def test_times_follow_a_retry() -> None:
    step = advance(failing("asr.0000").record, retry(), POLICY, NOW + timedelta(hours=1))
    view = job_view(step.record)
    assert view.update_time.ToDatetime(UTC) == NOW + timedelta(hours=1)
    assert [e.sequence for e in log_events(step.record)] == list(range(1, len(step.record.log) + 1))


@pytest.mark.parametrize("state", [8, 99])
def test_a_job_in_a_state_of_another_release_reaches_every_end(state: Any) -> None:
    step = new_job((RAW,))
    step = advance(step.record, completed(step.tasks[0], chunks=1), POLICY, NOW)
    step.record.state = state
    done = run(step, all_well(1)).record
    assert log_lines(done)[-1] == "COMPLETE"
    stopped = advance(step.record, cancel(), POLICY, NOW).record
    assert log_lines(stopped)[-1] == "CANCELLED"


def test_a_revision_follows_the_newest_alone() -> None:
    done = run(new_job((CLEAN,)), all_well(1)).record
    first = advance(done, revise(0), POLICY, NOW)
    assert not first.tasks
    assert first.record.revisions[0].save_time.ToDatetime(UTC) == NOW
    assert job_view(first.record).newest_revision == 1
    for base in (0, 2):
        assert not advance(first.record, revise(base), POLICY, NOW).changed
    assert len(advance(first.record, revise(1), POLICY, NOW).record.revisions) == 2
