"""The job of a live session: it has no task until the session has ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import (
    Step,
    accept,
    advance,
    dead_letters,
    is_audio_due,
    is_audio_made,
    is_live,
    pending_tasks,
    runnable_units,
)
from maie_gateway.conductor.graph import Graph
from maie_gateway.conductor.tasks import make_task
from maie_pipeline.live_session import (
    AUDIO_UNIT,
    LIVE_SESSION,
    LIVE_SESSION_WITH_AUDIO,
    LIVE_UNIT,
)
from maie_pipeline.pipeline import Pipeline
from maie_pipeline.states import FINAL_STATES
from maie_pipeline.text import CHUNK_NODE
from tests.gateway.conductor import world
from tests.gateway.conductor.world import CLEAN, JOB_ID, NOW, POLICY, SUMMARY, blob

pytestmark = pytest.mark.unit


def session(
    features: Iterable[job.Feature] = (CLEAN, SUMMARY), pipeline: Pipeline = LIVE_SESSION
) -> record.JobRecord:
    wanted = list(features)
    step = accept(
        job_id=JOB_ID,
        config=job.JobConfig(features=wanted, template_id="meeting_notes_v1"),
        recording=None,
        template=world.TEMPLATE,
        template_sha256="c" * 64,
        pipeline_version="0.1.0",
        traceparent="",
        now=NOW,
        pipeline=pipeline.name,
    )
    assert step.tasks == ()
    return step.record


def ended(source: record.JobRecord, chunks: int = 1, **facts: object) -> event.StageEvent:
    attempt = next(unit.attempt for unit in source.units if unit.unit == LIVE_UNIT)
    over = event.StageEvent(job_id=JOB_ID, unit=LIVE_UNIT, attempt=attempt)
    over.completed.facts.CopyFrom(event.UnitFacts(chunk_count=chunks, **facts))  # type: ignore[arg-type]
    over.completed.chunk_outputs.extend(blob(chunk(index)) for index in range(chunks))
    return over


def chunk(index: int) -> str:
    return f"{CHUNK_NODE}.{index:04d}"


def step(source: record.JobRecord, happened: event.StageEvent) -> Step:
    return advance(source, happened, POLICY, NOW + timedelta(minutes=5))


def units(source: record.JobRecord) -> dict[str, int]:
    return {unit.unit: unit.state for unit in source.units}


def test_a_session_is_transcribed_from_its_beginning_and_has_no_task() -> None:
    running = session()
    assert running.state == job.JOB_STATE_PROCESSING_ASR
    assert units(running) == {LIVE_UNIT: job.UNIT_STATE_QUEUED}
    assert is_live(running)
    assert pending_tasks(running) == []
    assert runnable_units(running) == {}
    with pytest.raises(ValueError, match="No task"):
        make_task(running, Graph(running), running.units[0])


def test_audio_is_put_together_beside_the_work_on_the_text() -> None:
    running = session(pipeline=LIVE_SESSION_WITH_AUDIO)
    assert units(running) == {
        LIVE_UNIT: job.UNIT_STATE_QUEUED,
        AUDIO_UNIT: job.UNIT_STATE_WAITING,
    }
    assert (is_live(running), is_audio_due(running)) == (True, False)
    after = step(running, ended(running))
    (task,) = after.tasks
    assert task.unit == "enhancement.0000"
    assert (is_live(after.record), is_audio_due(after.record)) == (False, True)
    # No worker is needed for it.
    assert runnable_units(after.record) == {common.STAGE_ENHANCEMENT: 1}
    assert [each.unit for each in pending_tasks(after.record)] == ["enhancement.0000"]
    after = step(after.record, world.completed(task))
    (task,) = after.tasks
    after = step(after.record, world.completed(task))
    assert after.record.state not in FINAL_STATES
    made = event.StageEvent(job_id=JOB_ID, unit=AUDIO_UNIT, attempt=1)
    made.completed.output.CopyFrom(blob(AUDIO_UNIT))
    after = step(after.record, made)
    assert after.record.state == job.JOB_STATE_COMPLETE
    assert (is_audio_due(after.record), is_audio_made(after.record)) == (False, True)


def test_audio_that_is_lost_fails_the_job_and_not_the_text() -> None:
    running = session(pipeline=LIVE_SESSION_WITH_AUDIO)
    after = step(running, ended(running, punctuated=True, without_summary=True))
    lost = event.StageEvent(job_id=JOB_ID, unit=AUDIO_UNIT, attempt=1)
    lost.failed.failure.reason = "BLOB_MISSING"
    after = step(after.record, lost)
    assert after.record.state == job.JOB_STATE_FAILED
    assert not is_audio_made(after.record)
    assert units(after.record)["enhancement.0000"] == job.UNIT_STATE_SKIPPED
    assert dead_letters(running, after.record) == []


def test_a_cancelled_session_has_no_audio_due_until_it_is_retried() -> None:
    running = session(pipeline=LIVE_SESSION_WITH_AUDIO)
    after = step(running, ended(running)).record
    cancel = event.StageEvent(job_id=JOB_ID, cancel_requested=event.CancelRequested())
    cancelled = step(after, cancel).record
    assert not is_audio_due(cancelled)
    retry = event.StageEvent(job_id=JOB_ID, retry_requested=event.RetryRequested())
    assert is_audio_due(step(cancelled, retry).record)


def test_what_follows_reads_the_transcript_of_the_session() -> None:
    running = session()
    after = step(running, ended(running))
    (task,) = after.tasks
    assert task.unit == "enhancement.0000"
    assert task.enhancement.transcript_blob == blob(chunk(0))
    assert not is_live(after.record)
    assert after.record.state == job.JOB_STATE_PROCESSING_LLM
    after = step(after.record, world.completed(task))
    (task,) = after.tasks
    assert task.unit == "summary.reduce"
    assert task.summary.whole == blob("enhancement.0000")
    after = step(after.record, world.completed(task))
    assert after.record.state == job.JOB_STATE_COMPLETE


def test_each_chunk_of_a_long_session_goes_its_own_way() -> None:
    running = session()
    after = step(running, ended(running, chunks=3))
    assert [task.unit for task in after.tasks] == [f"enhancement.{i:04d}" for i in range(3)]
    assert [task.enhancement.transcript_blob for task in after.tasks] == [
        blob(chunk(index)) for index in range(3)
    ]
    mapped: list[event.StageTask] = []
    for task in after.tasks:
        after = step(after.record, world.completed(task))
        mapped += after.tasks
    assert [task.summary.map for task in mapped] == [
        blob(f"enhancement.{index:04d}") for index in range(3)
    ]
    for task in mapped:
        after = step(after.record, world.completed(task))
    (last,) = after.tasks
    assert list(last.summary.reduce.parts) == [
        blob(f"summary.map.{index:04d}") for index in range(3)
    ]
    after = step(after.record, world.completed(last))
    assert after.record.state == job.JOB_STATE_COMPLETE
    assert "transcript.0002/0 COMPLETED" in world.log_lines(after.record)


def test_a_chunk_that_fails_leaves_the_text_of_the_others() -> None:
    running = session((CLEAN,))
    after = step(running, ended(running, chunks=2))
    first, second = after.tasks
    after = step(after.record, world.failed(first, retryable=False))
    after = step(after.record, world.completed(second))
    assert after.record.state == job.JOB_STATE_FAILED
    assert units(after.record) == {
        LIVE_UNIT: job.UNIT_STATE_COMPLETED,
        chunk(0): job.UNIT_STATE_COMPLETED,
        chunk(1): job.UNIT_STATE_COMPLETED,
        "enhancement.0000": job.UNIT_STATE_FAILED,
        "enhancement.0001": job.UNIT_STATE_COMPLETED,
    }


def test_the_end_brings_a_transcript_for_each_chunk() -> None:
    running = session()
    wrong = ended(running, chunks=2)
    wrong.completed.facts.chunk_count = 3
    with pytest.raises(ValueError, match="zip"):
        step(running, wrong)


def test_an_engine_that_punctuates_leaves_nothing_to_enhance() -> None:
    running = session((CLEAN,))
    after = step(running, ended(running, chunks=2, punctuated=True))
    assert after.record.state == job.JOB_STATE_COMPLETE
    skipped = {unit.unit: unit.output for unit in after.record.units if "enh" in unit.unit}
    assert skipped == {"enhancement.0000": blob(chunk(0)), "enhancement.0001": blob(chunk(1))}
    assert units(after.record)["enhancement.0001"] == job.UNIT_STATE_SKIPPED


def test_a_session_without_finals_has_nothing_to_enhance() -> None:
    running = session((CLEAN,))
    after = step(running, ended(running, chunks=0))
    assert (after.record.state, after.tasks) == (job.JOB_STATE_COMPLETE, ())


def test_the_client_can_leave_out_the_summary_at_the_end() -> None:
    running = session()
    after = step(running, ended(running, without_summary=True))
    assert list(after.record.config.features) == [CLEAN]
    assert units(after.record).keys() == {LIVE_UNIT, chunk(0), "enhancement.0000"}
    assert list(running.config.features) == [CLEAN, SUMMARY]


def test_a_cancelled_session_can_be_taken_up_from_its_log() -> None:
    running = session((CLEAN,))
    cancelled = step(running, world.cancel()).record
    assert cancelled.state == job.JOB_STATE_CANCELLED
    assert not is_live(cancelled)
    assert step(cancelled, ended(running)).changed is False
    again = step(cancelled, world.retry()).record
    assert is_live(again)
    assert again.units[0].attempt == 2
    assert step(again, ended(again)).tasks[0].unit == "enhancement.0000"


def test_no_dead_letter_names_a_session() -> None:
    running = session((CLEAN,))
    failed = event.StageEvent(job_id=JOB_ID, unit=LIVE_UNIT, attempt=1)
    failure = common.Failure(code=15, reason="UNREADABLE", message="Bad.")
    failed.failed.CopyFrom(event.UnitFailed(failure=failure))
    after = step(running, failed)
    assert after.record.state == job.JOB_STATE_FAILED
    assert dead_letters(running, after.record) == []
