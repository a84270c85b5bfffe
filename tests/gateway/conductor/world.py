"""What the conductor's tests share: jobs, the answers of workers, and a small record reader."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import stored_pb2 as stored
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import Policy, Step, accept, advance
from maie_pipeline.bindings import BINDINGS

JOB_ID = "0199a000-7f31-7c11-8a54-0d5d4c1f0a11"
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
POLICY = Policy()
RAW = job.FEATURE_RAW_TRANSCRIPT
CLEAN = job.FEATURE_CLEAN_TRANSCRIPT
SUMMARY = job.FEATURE_SUMMARY
METRICS = job.FEATURE_ENHANCEMENT_METRICS
QUALITY = job.FEATURE_QUALITY
SPEAKERS = job.FEATURE_SPEAKERS
EVERY_STAGE = tuple(binding.stage for binding in BINDINGS.values())
ALL_FEATURES = (RAW, CLEAN, SUMMARY, METRICS, SPEAKERS)
RECORDING = common.Blob(key=f"jobs/{JOB_ID}/recording", size_bytes=1000, sha256="a" * 64)
TEMPLATE = common.Blob(key="templates/" + "b" * 64, size_bytes=500, sha256="b" * 64)
ASR_OPTIONS = asr.TranscribeOptions(language_code="en", hotwords=["maie"])
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

Answer = Callable[[event.StageTask], event.StageEvent]


def new_job(
    features: Iterable[job.Feature] = (CLEAN, SUMMARY),
    now: datetime = NOW,
    *,
    held: bool = False,
    added: Iterable[job.Feature] = (),
    **config_options: Any,
) -> Step:
    wanted = list(features)
    summary = SUMMARY in wanted
    config = job.JobConfig(
        features=wanted,
        template_id="meeting_notes_v1" if summary else "",
        asr_options=ASR_OPTIONS,
        chunk_duration=Duration(seconds=20),
        **config_options,
    )
    return accept(
        job_id=JOB_ID,
        config=config,
        recording=RECORDING,
        template=TEMPLATE if summary else None,
        template_sha256="c" * 64 if summary else "",
        pipeline_version="0.1.0",
        traceparent=TRACEPARENT,
        now=now,
        tenant="acme",
        held=held,
        added_features=tuple(added),
    )


def blob(unit: str, content: str = "") -> common.Blob:
    """An output of a realistic size; different content has a different name."""
    digest = hashlib.sha256(f"{unit} {content}".encode()).hexdigest()
    return common.Blob(key=f"jobs/{JOB_ID}/{unit}-{digest}", size_bytes=40_000, sha256=digest)


def completed(
    task: event.StageTask, *, chunks: int = 0, punctuated: bool = False, content: str = ""
) -> event.StageEvent:
    told = _event(task)
    told.completed.output.CopyFrom(blob(task.unit, content))
    told.completed.metrics.processing_duration.FromMilliseconds(18_123)
    told.completed.facts.punctuated = punctuated
    if task.unit == "preprocess":
        told.completed.facts.chunk_count = chunks
        told.completed.facts.duration.FromSeconds(300 * chunks)
    return told


def failed(
    task: event.StageTask, *, retryable: bool, message: str = "The store does not answer."
) -> event.StageEvent:
    told = _event(task)
    failure = common.Failure(code=14, reason="BLOB_STORE_UNAVAILABLE", message=message)
    told.failed.CopyFrom(event.UnitFailed(failure=failure, retryable=retryable))
    return told


def started(task: event.StageTask) -> event.StageEvent:
    told = _event(task)
    told.started.SetInParent()
    return told


def cancel() -> event.StageEvent:
    return event.StageEvent(job_id=JOB_ID, cancel_requested=event.CancelRequested())


def retry(unit: str = "") -> event.StageEvent:
    return event.StageEvent(job_id=JOB_ID, unit=unit, retry_requested=event.RetryRequested())


def release() -> event.StageEvent:
    return event.StageEvent(job_id=JOB_ID, job_released=event.JobReleased())


def late(message: str = "It was not done in time.") -> event.StageEvent:
    failure = common.Failure(code=4, reason="OPTIONAL_UNIT_LATE", message=message)
    ended = event.OptionalUnitsLate(failure=failure)
    return event.StageEvent(job_id=JOB_ID, optional_units_late=ended)


def update(display_name: str | None = None, **labels: str) -> event.StageEvent:
    updated = event.JobUpdated(display_name=display_name, labels=labels)
    return event.StageEvent(job_id=JOB_ID, job_updated=updated)


def revise(base: int, author: str = "key:0f3a") -> event.StageEvent:
    blob = common.Blob(key=f"jobs/{JOB_ID}/edit-{'0' * 64}", size_bytes=1000, sha256="0" * 64)
    revision = stored.SavedRevision(author=author, changed_segments=3, text=blob)
    saved = event.RevisionSaved(base_revision=base, revision=revision)
    return event.StageEvent(job_id=JOB_ID, revision_saved=saved)


def _event(task: event.StageTask) -> event.StageEvent:
    return event.StageEvent(
        job_id=task.job_id, unit=task.unit, attempt=task.attempt, worker="worker-7f3a"
    )


def run(step: Step, answer: Answer, *, policy: Policy = POLICY) -> Step:
    """Answers every task, oldest first, until there are none; gives the last step."""
    queue = list(step.tasks)
    now = NOW
    while queue:
        now += timedelta(seconds=1)
        step = advance(step.record, answer(queue.pop(0)), policy, now)
        queue.extend(step.tasks)
    return step


def all_well(chunks: int, *, punctuated: bool = False) -> Answer:
    return lambda task: completed(task, chunks=chunks, punctuated=punctuated)


def task_of(step: Step, unit: str) -> event.StageTask:
    """The task of a unit among those that a step issued."""
    (found,) = [task for task in step.tasks if task.unit == unit]
    return found


def names(tasks: Iterable[event.StageTask]) -> list[str]:
    return [task.unit for task in tasks]


def unit_states(source: record.JobRecord) -> dict[str, str]:
    """Each unit's state, such as {"asr.0000": "COMPLETED"}."""
    return {
        unit.unit: job.UnitState.Name(unit.state).removeprefix("UNIT_STATE_")
        for unit in source.units
    }


def log_lines(source: record.JobRecord) -> list[str]:
    """The log in words, such as "asr.0000/1 FAILED"."""
    return [_line(entry) for entry in source.log]


def _line(entry: record.JobLogEntry) -> str:
    if entry.HasField("state_changed"):
        return job.JobState.Name(entry.state_changed.state).removeprefix("JOB_STATE_")
    if entry.HasField("unit_ended"):
        ended = entry.unit_ended
        state = job.UnitState.Name(ended.state).removeprefix("UNIT_STATE_")
        return f"{ended.unit}/{ended.attempt} {state}"
    return "accepted"
