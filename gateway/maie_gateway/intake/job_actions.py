"""Cancels, retries, renames and labels jobs for clients."""

from __future__ import annotations

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.conductor import can_retry
from maie_gateway.engine.loop import Conductor
from maie_gateway.intake.submit_config import (
    check_display_name,
    check_labels,
    check_speaker_names,
)
from maie_gateway.records.store import JobStore


class JobActions:
    """Actions of a tenant on its own jobs.

    Raises:
        StageError: NOT_FOUND with JOB_NOT_FOUND, or UNAVAILABLE.
    """

    def __init__(self, store: JobStore, conductor: Conductor) -> None:
        self._store = store
        self._conductor = conductor

    async def cancel(self, tenant: str, job_id: str) -> record.JobRecord:
        """Cancels a job. A finished one stays as it is."""
        stored = await self._store.get_own(job_id, tenant)
        cancel = event.StageEvent(job_id=job_id, cancel_requested=event.CancelRequested())
        with self._conductor.changing(stored.record, "maie.job.cancel"):
            return await self._conductor.take(job_id, [cancel])

    async def retry(self, tenant: str, job_id: str, unit: str = "") -> record.JobRecord:
        """Retries a failed or cancelled job from where it stopped.

        Args:
            tenant: The tenant that must own the job.
            job_id: The job.
            unit: The unit to retry; empty for all failed units.

        Raises:
            StageError: FAILED_PRECONDITION with JOB_NOT_RETRYABLE.
        """
        stored = await self._store.get_own(job_id, tenant)
        if not can_retry(stored.record, self._conductor.policy, unit):
            raise _not_retryable(stored.record, unit)
        retry = event.StageEvent(job_id=job_id, unit=unit, retry_requested=event.RetryRequested())
        with self._conductor.changing(stored.record, "maie.job.retry"):
            return await self._conductor.take(job_id, [retry])

    async def update(self, tenant: str, request: job.UpdateJobRequest) -> record.JobRecord:
        """Changes a job's display name, its labels or the names of its speakers.

        Raises:
            StageError: INVALID_ARGUMENT with DISPLAY_NAME_INVALID, LABELS_INVALID or
                SPEAKER_NAMES_INVALID.
        """
        check_display_name(request.display_name, field="display_name")
        check_labels(request.labels, field="labels")
        check_speaker_names(request.speaker_names, field="speaker_names")
        stored = await self._store.get_own(request.job_id, tenant)
        labels = {**stored.record.labels, **request.labels}
        check_labels({key: value for key, value in labels.items() if value}, field="labels")
        names = {**stored.record.speaker_names, **request.speaker_names}
        check_speaker_names(
            {key: name for key, name in names.items() if name}, field="speaker_names"
        )
        updated = event.JobUpdated(labels=request.labels, speaker_names=request.speaker_names)
        if request.HasField("display_name"):
            updated.display_name = request.display_name
        update = event.StageEvent(job_id=request.job_id, job_updated=updated)
        return await self._conductor.take(request.job_id, [update])


def _not_retryable(source: record.JobRecord, unit: str) -> StageError:
    what = f"Unit {unit} of job {source.job_id}" if unit else f"Job {source.job_id}"
    known = job.JobState.DESCRIPTOR.values_by_number.get(source.state)
    state = known.name.removeprefix("JOB_STATE_") if known else f"in state {source.state}"
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.JOB_NOT_RETRYABLE,
        f"{what} cannot be tried again: the job is {state}, and only what failed or was cancelled "
        "can, as long as its record has room; submit the recording again.",
    )
