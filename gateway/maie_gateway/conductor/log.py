"""A job's log, which watchers replay. It is append-only."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_pipeline.states import FINAL_STATES


def log_accepted(target: record.JobRecord, now: Timestamp) -> None:
    """Logs that the job was accepted."""
    target.log.add(event_time=now, accepted=job.JobAccepted(job_id=target.job_id))


def log_state(target: record.JobRecord, now: Timestamp) -> None:
    """Logs the job's new state."""
    target.log.add(
        event_time=_not_before_last(target, now),
        state_changed=job.JobStateChanged(state=target.state),
    )


def log_unit(
    target: record.JobRecord,
    unit: record.Unit,
    state: job.UnitState,
    now: Timestamp,
    failure: common.Failure | None = None,
    times: job.AttemptTimes | None = None,
) -> None:
    """Logs how an attempt ended.

    There is one entry for each unit and attempt. An attempt that failed and is
    followed by another is QUEUED with its failure; the last one is FAILED. A
    unit that never ran (SKIPPED, BLOCKED) has attempt 0. An attempt that ran
    when the job was cancelled has none.
    """
    ended = job.UnitEnded(
        unit=unit.unit,
        stage=unit.stage,
        attempt=unit.attempt,
        state=state,
        failure=failure,
        times=times,
    )
    target.log.add(event_time=_not_before_last(target, now), unit_ended=ended)


def _not_before_last(target: record.JobRecord, now: Timestamp) -> Timestamp:
    """The time of the next entry, never before the last one, even where clocks differ."""
    return max(now, target.log[-1].event_time, key=Timestamp.ToNanoseconds)


def retries_made(source: record.JobRecord, unit: str) -> int:
    """How often a unit was retried since the job was accepted or last retried."""
    count = 0
    for entry in reversed(source.log):
        if entry.state_changed.state in FINAL_STATES:
            break
        ended = entry.unit_ended
        count += ended.unit == unit and ended.state == job.UNIT_STATE_QUEUED
    return count


def log_events(source: record.JobRecord, after_sequence: int = 0) -> list[job.JobEvent]:
    """The log as events for a watcher.

    `finished` is not among them: the gateway adds it, with the results.

    Args:
        source: The record.
        after_sequence: The last sequence that the watcher has; 0 for all.

    Returns:
        The events after it. An entry's sequence is its index in the log, from 1.
    """
    start = max(after_sequence, 0)
    entries = enumerate(source.log[start:], start=start + 1)
    return [_event(entry, sequence) for sequence, entry in entries]


def _event(entry: record.JobLogEntry, sequence: int) -> job.JobEvent:
    job_event = job.JobEvent(sequence=sequence, event_time=entry.event_time)
    match entry.WhichOneof("entry"):
        case "accepted":
            job_event.accepted.CopyFrom(entry.accepted)
        case "state_changed":
            job_event.state_changed.CopyFrom(entry.state_changed)
        case "unit_ended":
            job_event.unit_ended.CopyFrom(entry.unit_ended)
    return job_event
