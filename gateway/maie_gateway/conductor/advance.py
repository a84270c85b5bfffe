"""Applies an event to a job's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from google.protobuf.timestamp_pb2 import Timestamp

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.caller import DEFAULT_TENANT
from maie_core.errors import Code
from maie_core.reasons import Reason
from maie_core.result_warnings import COUNTED_REASONS
from maie_gateway.conductor.draft import Draft, Step
from maie_gateway.conductor.graph import pipeline_unknown
from maie_gateway.conductor.job_events import JOB_EVENTS
from maie_gateway.conductor.log import log_accepted, log_state, retries_made
from maie_gateway.conductor.policy import Policy
from maie_gateway.conductor.tasks import task_id
from maie_pipeline.pipelines import PIPELINES
from maie_pipeline.recording import RECORDING
from maie_pipeline.states import FINAL_STATES

# A failure's sentence is stored for each failed attempt; the record must stay bounded.
MAX_MESSAGE_CHARS = 240
# Where a record is larger than this, sentences are shorter.
LARGE_RECORD_BYTES = 400_000
MAX_LARGE_RECORD_MESSAGE_CHARS = 60
# Where it is larger than this, no unit is tried again: the ends of all units must still fit.
MAX_RETRYING_RECORD_BYTES = 650_000
MAX_REASON_CHARS = 64


def accept(
    *,
    job_id: str,
    config: job.JobConfig,
    recording: common.Blob | None,
    template: common.Blob | None,
    template_sha256: str,
    template_version: int = 0,
    pipeline_version: str,
    traceparent: str,
    now: datetime,
    tenant: str = DEFAULT_TENANT,
    held: bool = False,
    asr_slots: int = 0,
    pipeline: str = RECORDING.name,
    origin: job.JobOrigin | None = None,
    source_sha256: str = "",
    reading_options: common.Blob | None = None,
    speaker_names: Mapping[str, str] = MappingProxyType({}),
    added_features: Sequence[job.Feature] = (),
) -> Step:
    """Begins a job.

    Args:
        job_id: The job's id.
        config: The validated config, with defaults filled in.
        recording: The stored recording. None where the pipeline needs none.
        template: The stored template. None without a summary.
        template_sha256: The template's own hash. Empty without a summary.
        template_version: The version of a template of the tenant's own; 0 for another.
        pipeline_version: The version of the gateway.
        traceparent: The W3C trace context of the call that submits it.
        now: The time, with a time zone.
        tenant: The job's tenant.
        held: Whether the job waits for its tenant's fair share: until it is released
            it is pending and has no task.
        asr_slots: How many chunks the mesh transcribes at once; 0 where unknown.
        pipeline: The name of the job's pipeline.
        origin: Whose transcript the job summarises; None for a job of its own.
        source_sha256: What tells the URL that the recording was fetched from; empty where it was
            uploaded.
        reading_options: The stored text that the recording is compared with; None without one.
        speaker_names: The names of the speakers of the transcript, where the job is given one.
        added_features: What the job has besides what the config asks for; see
            `JobRecord.added_features`.

    Returns:
        The job's first record and its first tasks, if any.

    Raises:
        StageError: FAILED_PRECONDITION with PIPELINE_UNKNOWN.
    """
    if pipeline not in PIPELINES:
        raise pipeline_unknown(pipeline)
    time = Timestamp()
    time.FromDatetime(now)
    first = record.JobRecord(
        job_id=job_id,
        state=job.JOB_STATE_PENDING,
        config=config,
        recording=recording,
        template=template,
        template_sha256=template_sha256,
        template_version=template_version,
        pipeline_version=pipeline_version,
        traceparent=traceparent,
        tenant=tenant,
        display_name=config.display_name or config.filename,
        labels=config.labels,
        held=held,
        asr_slots=asr_slots,
        pipeline=pipeline,
        origin=origin,
        source_sha256=source_sha256,
        reading_options=reading_options,
        speaker_names=speaker_names,
        added_features=added_features,
    )
    first.units.extend(PIPELINES[pipeline].first_units(config))
    log_accepted(first, time)
    log_state(first, time)
    # A window always admits the first unit of a stage.
    return Draft(first, now).finish(Policy())


def advance(
    source: record.JobRecord, stage_event: event.StageEvent, policy: Policy, now: datetime
) -> Step:
    """Applies an event to a job.

    The final record does not depend on the order of the events or on duplicates:
    the first result or failure of an attempt counts, and only for the attempt
    that the record names. Only a retry leaves a final state. Where thousands of
    attempts fail, their order says which units are not tried again.

    Args:
        source: The stored record; it is not changed.
        stage_event: The event.
        policy: The limits.
        now: The time, with a time zone.

    Returns:
        The next record and the tasks of the units that it newly queues. Where
        the event changes nothing, the same record and no tasks.

    Raises:
        StageError: FAILED_PRECONDITION with PIPELINE_UNKNOWN or STAGE_UNKNOWN: a later release
            wrote the record, and its gateways handle the event.
    """
    if stage_event.job_id != source.job_id:
        return Step(record=source, changed=False)
    kind = stage_event.WhichOneof("event")
    if kind in JOB_EVENTS:
        return JOB_EVENTS[kind](source, stage_event, policy, now)
    if source.state in FINAL_STATES or not _counts(source, stage_event):
        return Step(record=source, changed=False)
    draft = Draft(source, now)
    draft.graph.keep_needs()
    unit = draft.graph[stage_event.unit]
    # A unit with an event has begun, even where `started` is late or lost.
    draft.begin(unit)
    if stage_event.HasField("completed"):
        draft.note_cost(unit, stage_event, stage_event.completed.metrics)
        _complete(draft, unit, stage_event.completed, policy)
    elif stage_event.HasField("failed"):
        draft.note_cost(unit, stage_event, stage_event.failed.metrics)
        _fail(draft, unit, stage_event.failed, policy)
    return draft.finish(policy)


def _counts(source: record.JobRecord, stage_event: event.StageEvent) -> bool:
    """Whether an event is about a unit's current attempt and can change its state."""
    unit = next((unit for unit in source.units if unit.unit == stage_event.unit), None)
    if unit is None or unit.state != job.UNIT_STATE_QUEUED or unit.attempt != stage_event.attempt:
        return False
    match stage_event.WhichOneof("event"):
        case "started":
            # Only the first start changes the state; no other unit of a pending job has begun.
            return source.state == job.JOB_STATE_PENDING
        case "completed" | "failed":
            return True
        case _:
            return False


def _complete(
    draft: Draft, unit: record.Unit, completed: event.UnitCompleted, policy: Policy
) -> None:
    node, facts = draft.graph.node(unit), completed.facts
    if node.cuts and facts.chunk_count > policy.max_chunks:
        draft.end(unit, job.UNIT_STATE_FAILED, _too_many(unit, facts.chunk_count, policy))
        return
    if completed.HasField("output"):
        unit.output.CopyFrom(completed.output)
    unit.metrics.CopyFrom(completed.metrics)
    unit.warning_reasons[:] = sorted(COUNTED_REASONS.intersection(completed.warning_reasons))
    draft.end(unit, job.UNIT_STATE_COMPLETED)
    given = draft.cut(facts, completed.chunk_outputs) if node.cuts else []
    draft.skip_unneeded([unit, *given], facts)


def _fail(draft: Draft, unit: record.Unit, failed: event.UnitFailed, policy: Policy) -> None:
    size = draft.record.ByteSize()
    longest = MAX_LARGE_RECORD_MESSAGE_CHARS if size > LARGE_RECORD_BYTES else MAX_MESSAGE_CHARS
    failure = common.Failure(
        code=failed.failure.code,
        reason=failed.failure.reason[:MAX_REASON_CHARS],
        message=failed.failure.message[:longest],
        unit=unit.unit,
    )
    retries = retries_made(draft.record, unit.unit)
    has_room = size <= MAX_RETRYING_RECORD_BYTES
    if failed.retryable and has_room and retries < policy.max_retries:
        failed_task = event.StageTask(
            job_id=draft.record.job_id, unit=unit.unit, attempt=unit.attempt
        )
        draft.retry(unit, failure, policy.pause(retries + 1, task_id(failed_task)))
    else:
        draft.end(unit, job.UNIT_STATE_FAILED, failure)


def _too_many(unit: record.Unit, chunk_count: int, policy: Policy) -> common.Failure:
    message = (
        f"The recording was cut into {chunk_count} chunks and a job has at most "
        f"{policy.max_chunks}; ask for a longer chunk_duration."
    )
    return common.Failure(
        code=Code.INVALID_ARGUMENT,
        reason=Reason.TOO_MANY_CHUNKS,
        message=message,
        unit=unit.unit,
    )
