"""Events about a whole job: cancel, retry, update, release, a corrected transcript."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor.demand import has_optional_units_alone
from maie_gateway.conductor.draft import Draft, Step
from maie_gateway.conductor.policy import Policy
from maie_pipeline.states import FINAL_STATES, RETRYABLE_STATES

# The most that a failed attempt adds to a record: its log entry, and as much again for the
# failure or the output of the unit.
ATTEMPT_BYTES = 400

# Each is an entry of the record, so there are only so many.
MAX_REVISIONS = 200
MAX_SUMMARIES = 50

_DONE_STATES = (job.UNIT_STATE_COMPLETED, job.UNIT_STATE_SKIPPED)


def can_retry(source: record.JobRecord, policy: Policy, unit: str = "") -> bool:
    """Whether a job can be retried.

    Args:
        source: The job's record.
        policy: The limits; `max_record_bytes` bounds the record.
        unit: The failed unit to retry; empty for all.
    """
    if source.state not in RETRYABLE_STATES:
        return False
    if unit and not any(u.unit == unit and u.state == job.UNIT_STATE_FAILED for u in source.units):
        return False
    undone = sum(unit.state not in _DONE_STATES for unit in source.units)
    growth = undone * ATTEMPT_BYTES * (policy.max_retries + 2)
    return source.ByteSize() + growth <= policy.max_record_bytes


def _cancel(
    source: record.JobRecord, stage_event: event.StageEvent, policy: Policy, now: datetime
) -> Step:
    if source.state in FINAL_STATES:
        return Step(record=source, changed=False)
    draft = Draft(source, now)
    draft.enter(job.JOB_STATE_CANCELLED)
    return Step(record=draft.record)


def _retry(
    source: record.JobRecord, stage_event: event.StageEvent, policy: Policy, now: datetime
) -> Step:
    """Retries a job that failed or was cancelled; a held one waits for its release again."""
    if not can_retry(source, policy, stage_event.unit):
        return Step(record=source, changed=False)
    draft = Draft(source, now)
    draft.reopen(stage_event.unit)
    return draft.finish(policy)


def _update(
    source: record.JobRecord, stage_event: event.StageEvent, policy: Policy, now: datetime
) -> Step:
    """Renames or labels a job, or names its speakers, in any state."""
    wanted = stage_event.job_updated
    draft = Draft(source, now)
    if wanted.HasField("display_name"):
        draft.record.display_name = wanted.display_name or source.config.filename
    _set(draft.record.labels, wanted.labels)
    _set(draft.record.speaker_names, wanted.speaker_names)
    full = (
        len(draft.record.labels) > policy.max_labels
        or len(draft.record.speaker_names) > policy.max_speaker_names
    )
    if full or draft.record == source:
        return Step(record=source, changed=False)
    return Step(record=draft.record)


def _set(kept: MutableMapping[str, str], wanted: Mapping[str, str]) -> None:
    """Sets the wanted entries; an empty one removes what is there."""
    for key, value in wanted.items():
        if value:
            kept[key] = value
        else:
            kept.pop(key, None)


def _release(
    source: record.JobRecord, stage_event: event.StageEvent, policy: Policy, now: datetime
) -> Step:
    """Begins a held job. For any other it queues the units that the window now has room for."""
    if source.state in FINAL_STATES:
        return Step(record=source, changed=False)
    draft = Draft(source, now)
    draft.record.held = False
    step = draft.finish(policy)
    return step if source.held or step.tasks else Step(record=source, changed=False)


def has_room_for_revision(source: record.JobRecord, policy: Policy, size: int = 0) -> bool:
    """Whether a job's record has room for one more corrected transcript.

    Args:
        source: The job's record.
        policy: The limits; `max_record_bytes` bounds the record.
        size: The size of its entry, in bytes.
    """
    if len(source.revisions) >= MAX_REVISIONS:
        return False
    return source.ByteSize() + size <= policy.max_record_bytes


def _save_revision(
    source: record.JobRecord, stage_event: event.StageEvent, policy: Policy, now: datetime
) -> Step:
    """Adds a corrected transcript, if it follows the newest one."""
    saved = stage_event.revision_saved
    is_newest = saved.base_revision == len(source.revisions)
    if not is_newest or not has_room_for_revision(source, policy, saved.revision.ByteSize()):
        return Step(record=source, changed=False)
    draft = Draft(source, now)
    added = draft.record.revisions.add()
    added.CopyFrom(saved.revision)
    added.save_time.FromDatetime(now)
    return Step(record=draft.record)


def _request_summary(
    source: record.JobRecord, stage_event: event.StageEvent, policy: Policy, now: datetime
) -> Step:
    """Notes a job that summarises a revision, so that it is removed with its origin."""
    name = stage_event.summary_requested.summary_job_id
    is_full = len(source.summary_job_ids) >= MAX_SUMMARIES
    if is_full or source.ByteSize() + 2 * len(name) > policy.max_record_bytes:
        return Step(record=source, changed=False)
    if name in source.summary_job_ids:
        return Step(record=source, changed=False)
    draft = Draft(source, now)
    draft.record.summary_job_ids.append(name)
    return Step(record=draft.record)


def _give_up_optional(
    source: record.JobRecord, stage_event: event.StageEvent, policy: Policy, now: datetime
) -> Step:
    """Ends a job that waits for optional units alone."""
    if not has_optional_units_alone(source):
        return Step(record=source, changed=False)
    draft = Draft(source, now)
    draft.give_up_optional(stage_event.optional_units_late.failure)
    return draft.finish(policy)


Handler = Callable[[record.JobRecord, event.StageEvent, Policy, datetime], Step]

JOB_EVENTS: Mapping[str | None, Handler] = {
    "cancel_requested": _cancel,
    "retry_requested": _retry,
    "job_updated": _update,
    "job_released": _release,
    "revision_saved": _save_revision,
    "summary_requested": _request_summary,
    "optional_units_late": _give_up_optional,
}
"""The handlers of events about a whole job, by the name of the event."""
