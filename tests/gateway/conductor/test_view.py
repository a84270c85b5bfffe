"""What clients see of a job before its results are read."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_gateway.conductor import advance, job_view, log_events
from tests.gateway.conductor.world import (
    CLEAN,
    NOW,
    POLICY,
    RAW,
    all_well,
    completed,
    failed,
    new_job,
    run,
)

pytestmark = pytest.mark.unit

LATER = NOW + timedelta(seconds=7)


def progress(view: job.Job) -> list[tuple[str, float, int, int]]:
    return [
        (common.Stage.Name(p.stage)[6:], p.fraction, p.ended_units, p.total_units)
        for p in view.progress
    ]


def test_a_new_job_knows_its_stages_but_not_their_units() -> None:
    view = job_view(new_job().record)
    assert view.job_id == new_job().record.job_id
    assert view.config == new_job().record.config
    assert progress(view) == [
        ("PREPROCESS", 0.0, 0, 1),
        ("ASR", 0.0, 0, 0),
        ("ENHANCEMENT", 0.0, 0, 0),
        ("SUMMARY", 0.0, 0, 0),
    ]
    assert view.create_time.ToDatetime(UTC) == view.update_time.ToDatetime(UTC) == NOW
    assert not view.HasField("finish_time")


def test_progress_counts_the_units_that_ended() -> None:
    step = new_job()
    step = advance(step.record, completed(step.tasks[0], chunks=4), POLICY, NOW)
    step = advance(step.record, completed(step.tasks[0], punctuated=True), POLICY, LATER)
    assert progress(job_view(step.record)) == [
        ("PREPROCESS", 1.0, 1, 1),
        ("ASR", 0.25, 1, 4),
        ("ENHANCEMENT", 0.25, 1, 4),
        ("SUMMARY", 0.0, 0, 5),
    ]
    assert job_view(step.record).update_time.ToDatetime(UTC) == NOW


def test_a_finished_job_says_when() -> None:
    step = new_job((RAW,))
    step = advance(step.record, completed(step.tasks[0], chunks=0), POLICY, LATER)
    view = job_view(step.record)
    assert view.state == job.JOB_STATE_COMPLETE
    assert view.create_time.ToDatetime(UTC) == NOW
    assert view.finish_time.ToDatetime(UTC) == view.update_time.ToDatetime(UTC) == LATER
    assert progress(view) == [("PREPROCESS", 1.0, 1, 1), ("ASR", 1.0, 0, 0)]


def test_a_failure_that_a_retry_mended_is_in_the_log_only() -> None:
    def answer(task):
        if task.unit == "asr.0000" and task.attempt == 1:
            return failed(task, retryable=True)
        return completed(task, chunks=1)

    done = run(new_job((CLEAN,)), answer).record
    assert list(job_view(done).failures) == []
    told = [e.unit_ended for e in log_events(done) if e.HasField("unit_ended")]
    assert [(u.attempt, u.failure.unit) for u in told if u.HasField("failure")] == [(1, "asr.0000")]


def test_a_watcher_continues_where_it_was() -> None:
    done = run(new_job(), all_well(2)).record
    events = log_events(done)
    assert [e.sequence for e in events] == list(range(1, len(done.log) + 1))
    assert events[0].accepted.job_id == done.job_id
    assert events[-1].state_changed.state == job.JOB_STATE_COMPLETE
    for after in (0, 3, len(events), len(events) + 5):
        assert log_events(done, after) == events[after:]
    assert log_events(done, -1) == events
    assert all(e.HasField("event_time") for e in events)


def test_a_job_never_ends_before_it_began_though_the_clock_jumps_back() -> None:
    step = new_job([RAW])
    step = advance(step.record, completed(step.tasks[0], chunks=1), POLICY, LATER)
    step = advance(step.record, completed(step.tasks[0]), POLICY, NOW - timedelta(hours=1))
    view = job_view(step.record)
    assert view.create_time.ToDatetime(UTC) == NOW
    assert view.finish_time.ToDatetime(UTC) == view.update_time.ToDatetime(UTC) == LATER
