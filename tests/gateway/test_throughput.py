"""How many jobs ended in the last minutes."""

from __future__ import annotations

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.engine.throughput import MAX_FAILURES, WINDOW_SECONDS, Throughput

pytestmark = pytest.mark.unit

NOW = 1_900_000_000.0


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def ended(job_id: str, state: job.JobState, at: float, audio: int = 60) -> record.JobRecord:
    made = record.JobRecord(job_id=job_id, state=state)
    made.facts.duration.FromSeconds(audio)
    entry = made.log.add(state_changed=job.JobStateChanged(state=state))
    entry.event_time.FromNanoseconds(round(at * 1e9))
    if state == job.JOB_STATE_FAILED:
        failure = common.Failure(reason="AUDIO_CORRUPT")
        made.units.add(unit="preprocess", state=job.UNIT_STATE_FAILED, failure=failure)
    return made


def test_jobs_count_once_and_for_as_long_as_the_window_is() -> None:
    clock = Clock()
    throughput = Throughput(clock)
    first = ended("a", job.JOB_STATE_COMPLETE, NOW - 100)
    for _ in range(2):  # after a rename, or a watch that begins again
        throughput.changed(first, 1)
    throughput.changed(ended("old", job.JOB_STATE_COMPLETE, NOW - WINDOW_SECONDS - 1), 1)
    throughput.changed(ended("b", job.JOB_STATE_CANCELLED, NOW - 10), 1)
    found = throughput.report()
    assert (found.completed_jobs, found.failed_jobs, found.cancelled_jobs) == (1, 0, 1)
    assert found.audio.seconds == 60
    assert found.window.seconds == WINDOW_SECONDS
    clock.now += WINDOW_SECONDS - 50
    found = throughput.report()
    assert (found.completed_jobs, found.cancelled_jobs, found.audio.seconds) == (0, 1, 0)


def test_a_job_that_is_retried_did_not_end() -> None:
    throughput = Throughput(Clock())
    throughput.changed(ended("a", job.JOB_STATE_FAILED, NOW - 10), 1)
    assert throughput.report().failed_jobs == 1
    throughput.changed(record.JobRecord(job_id="a", state=job.JOB_STATE_PENDING), 2)
    assert throughput.report().failed_jobs == 0


def test_the_last_failures_say_why() -> None:
    throughput = Throughput(Clock())
    for number in range(MAX_FAILURES + 5):
        throughput.changed(ended(f"job-{number}", job.JOB_STATE_FAILED, NOW - 100 + number), 1)
    found = throughput.report()
    assert found.failed_jobs == MAX_FAILURES + 5
    assert [each.job_id for each in found.failures][:2] == ["job-14", "job-13"]
    assert len(found.failures) == MAX_FAILURES
    assert (found.failures[0].unit, found.failures[0].reason) == ("preprocess", "AUDIO_CORRUPT")
