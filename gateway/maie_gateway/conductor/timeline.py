"""Where the time of a job went, from its record. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.trace_context import span_context_of
from maie_gateway.conductor.log import log_events
from maie_pipeline.states import FINAL_STATES

_NOTHING = timedelta()


def attempt_times(
    unit: record.Unit, metrics: common.UnitMetrics, worker: str, now: datetime
) -> job.AttemptTimes:
    """The times of an attempt that ended now.

    Args:
        unit: The unit, with when the attempt was queued.
        metrics: What its worker reports.
        worker: The worker.
        now: The time, with a time zone.
    """
    times = job.AttemptTimes(worker=worker, deliveries=metrics.deliveries)
    if unit.HasField("queue_time"):
        queued = unit.queue_time.ToDatetime(tzinfo=now.tzinfo)
        times.total_duration.FromTimedelta(max(now - queued, _NOTHING))
    if metrics.HasField("processing_duration"):
        times.run_duration.CopyFrom(metrics.processing_duration)
    if metrics.HasField("engine_duration"):
        times.engine_duration.CopyFrom(metrics.engine_duration)
    return times


def timeline(source: record.JobRecord, now: datetime) -> job.Timeline:
    """The attempts at a job's units, as far as they have begun.

    Args:
        source: The job's record.
        now: The time, with a time zone.
    """
    events = log_events(source)
    changes = [each.event_time for each in events if each.HasField("state_changed")]
    named = span_context_of(source.traceparent)
    found = job.Timeline(
        job_id=source.job_id,
        state=source.state,
        create_time=changes[0],
        trace_id=f"{named.trace_id:032x}" if named else "",
        waiting_units=sum(unit.state == job.UNIT_STATE_WAITING for unit in source.units),
        total_units=len(source.units),
    )
    found.read_time.FromDatetime(now)
    if source.state in FINAL_STATES:
        found.finish_time.CopyFrom(changes[-1])
    for each in events:
        if each.unit_ended.attempt:
            found.attempts.append(_ended(each))
    found.attempts.extend(
        _open(unit) for unit in source.units if unit.state == job.UNIT_STATE_QUEUED
    )
    return found


def _ended(logged: job.JobEvent) -> job.TimelineAttempt:
    ended = logged.unit_ended
    attempt = job.TimelineAttempt(
        unit=ended.unit,
        stage=ended.stage,
        attempt=ended.attempt,
        state=ended.state,
        end_time=logged.event_time,
        worker=ended.times.worker,
        deliveries=ended.times.deliveries,
        failure=ended.failure if ended.HasField("failure") else None,
    )
    over = logged.event_time.ToDatetime()
    if ended.times.HasField("total_duration"):
        total = ended.times.total_duration.ToTimedelta()
        attempt.queue_time.FromDatetime(over - total)
    if ended.times.HasField("run_duration"):
        ran = ended.times.run_duration.ToTimedelta()
        attempt.start_time.FromDatetime(over - ran)
    if ended.times.HasField("engine_duration"):
        attempt.engine_duration.CopyFrom(ended.times.engine_duration)
    return attempt


def _open(unit: record.Unit) -> job.TimelineAttempt:
    queued = unit.queue_time if unit.HasField("queue_time") else None
    return job.TimelineAttempt(
        unit=unit.unit,
        stage=unit.stage,
        attempt=unit.attempt,
        state=unit.state,
        queue_time=queued,
    )
