"""Limits unfinished jobs and concurrent uploads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from maie_core.errors import Code, StageError
from maie_core.limit_names import Limit
from maie_core.reasons import Reason
from maie_gateway.intake.pace import Pace
from maie_gateway.limits.audio_hours import AudioHours
from maie_gateway.limits.callers import CallerLimits
from maie_gateway.records.changes import JobChanges

log = structlog.get_logger()

RETRY_AFTER = timedelta(seconds=10)


@dataclass(kw_only=True, frozen=True, slots=True)
class AdmissionLimits:
    """The limits of admission.

    Attributes:
        jobs: The most unfinished jobs of all tenants.
        jobs_per_tenant: The most of one tenant.
        uploads: The most concurrent uploads.
        uploads_per_tenant: The most of one tenant.
        callers: What of these single tenants and keys may have.
    """

    jobs: int
    jobs_per_tenant: int
    uploads: int
    uploads_per_tenant: int
    callers: CallerLimits

    def jobs_of(self, tenant: str) -> int:
        """The most unfinished jobs of a tenant."""
        return self.callers.of(tenant).active_jobs or self.jobs_per_tenant

    def uploads_of(self, tenant: str) -> int:
        """The most concurrent uploads of a tenant."""
        return self.callers.of(tenant).uploads or self.uploads_per_tenant


@dataclass(kw_only=True, eq=False, slots=True)
class Upload:
    """An upload in progress.

    Attributes:
        tenant: The tenant.
        submit: Uploads with the same value become one job; empty where the job exists.
        pace: The pace of the upload.
        key: The key or token that sends it; empty where none is limited.
        job_id: The id of its job; empty until the upload is complete.
    """

    tenant: str
    submit: str
    pace: Pace
    key: str = ""
    job_id: str = ""


class Admission:
    """Counts unfinished jobs and uploads, and refuses those over a limit.

    An upload reserves a slot for its job, so that nobody sends a whole recording
    in vain. A stalled upload reserves no slot, and a new upload can replace it.

    Args:
        changes: The unfinished jobs.
        limits: The limits.
        audio_hours: Knows how much audio tenants had today.
    """

    def __init__(
        self, changes: JobChanges, limits: AdmissionLimits, audio_hours: AudioHours
    ) -> None:
        self._changes = changes
        self._audio_hours = audio_hours
        self._limits = limits
        self._uploads: set[Upload] = set()

    def check(self, tenant: str, submit: str = "") -> None:
        """Refuses what would be refused as an upload, before it is one.

        Args:
            tenant: The tenant.
            submit: As for `upload`.

        Raises:
            StageError: RESOURCE_EXHAUSTED with TENANT_QUOTA, QUEUE_FULL or AUDIO_HOURS_SPENT.
        """
        self._audio_hours.check(tenant)
        places = self._places(self._coming())
        if (tenant, submit) not in places:
            self._check_jobs(tenant, places)

    def check_jobs(self, tenant: str) -> None:
        """Refuses one more job that needs no recording.

        Args:
            tenant: The tenant.

        Raises:
            StageError: RESOURCE_EXHAUSTED with TENANT_QUOTA or QUEUE_FULL.
        """
        self._check_jobs(tenant, self._places(self._coming()))

    def _coming(self) -> list[Upload]:
        """The uploads that reserve a slot."""
        return [each for each in self._uploads if each.job_id or not each.pace.stalled]

    @contextmanager
    def upload(self, tenant: str, submit: str, pace: Pace, key: str = "") -> Iterator[Upload]:
        """Reserves a slot while a recording is uploaded and becomes a job.

        Args:
            tenant: The tenant.
            submit: Identifies the submit. Uploads with the same value become the same
                job and share its slot. Empty where the job exists.
            pace: The pace of the upload.
            key: The key or token that sends it; empty where none is limited.

        Raises:
            StageError: RESOURCE_EXHAUSTED with TENANT_QUOTA, QUEUE_FULL, UPLOADS_FULL or
                AUDIO_HOURS_SPENT, and a retry hint.
        """
        if submit:
            self.check(tenant, submit)
        self._make_room(tenant, key)
        upload = Upload(tenant=tenant, submit=submit, pace=pace, key=key)
        self._uploads.add(upload)
        try:
            yield upload
        finally:
            self._uploads.discard(upload)

    def complete(self, upload: Upload, job_id: str) -> None:
        """Notes that an upload is complete, and checks again, since others may have come first.

        Raises:
            StageError: As `upload`.
        """
        upload.job_id = job_id
        if job_id not in self._changes.active:
            complete = [each for each in self._uploads if each.job_id]
            self._check_jobs(
                upload.tenant, self._places(complete) - {(upload.tenant, upload.submit)}
            )

    def _places(self, uploads: Iterable[Upload]) -> set[tuple[str, str]]:
        """The job slots that uploads reserve in addition to the unfinished jobs."""
        return {
            (upload.tenant, upload.submit)
            for upload in uploads
            if upload.submit and upload.job_id not in self._changes.active
        }

    def _check_jobs(self, tenant: str, coming: set[tuple[str, str]]) -> None:
        if len(coming) + len(self._changes.counted_jobs) >= self._limits.jobs:
            raise _full(
                Reason.QUEUE_FULL,
                f"{self._limits.jobs} jobs are unfinished already",
                Limit.MESH_JOBS,
            )
        own = sum(owner == tenant for owner, _ in coming) + self._active(tenant)
        most = self._limits.jobs_of(tenant)
        if own >= most:
            raise _full(
                Reason.TENANT_QUOTA,
                f"{most} jobs of tenant {tenant} are unfinished already",
                Limit.TENANT_JOBS,
            )

    def _make_room(self, tenant: str, key: str) -> None:
        """Makes room for an upload, if necessary by ending a stalled one."""
        limits, most = self._limits, self._limits.uploads_of(tenant)
        own = [upload for upload in self._uploads if upload.tenant == tenant]
        of_key = [upload for upload in own if key and upload.key == key]
        if len(of_key) >= limits.callers.calls_of(tenant).share(most):
            self._displace_one(of_key, f" with {key}", Limit.KEY_UPLOADS)
        elif len(own) >= most:
            self._displace_one(own, f" of tenant {tenant}", Limit.TENANT_UPLOADS)
        if len(self._uploads) >= limits.uploads:
            self._displace_one(self._uploads, "", Limit.GATEWAY_UPLOADS)

    def _displace_one(self, uploads: Collection[Upload], whose: str, limit: Limit) -> None:
        stalled = [upload for upload in uploads if not upload.job_id and upload.pace.stalled]
        if not stalled:
            raise _full(
                Reason.UPLOADS_FULL,
                f"{len(uploads)} recordings{whose} are being uploaded already",
                limit,
            )
        slowest = min(stalled, key=lambda upload: upload.pace.rate)
        log.warning("upload.displaced", tenant=slowest.tenant)
        self._uploads.discard(slowest)
        slowest.pace.displace()

    def _active(self, tenant: str) -> int:
        return sum(known.tenant == tenant for known in self._changes.counted_jobs.values())


def _full(reason: Reason, message: str, limit: Limit) -> StageError:
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        reason,
        f"{message}, the limit {limit}; try again later.",
        retry_after=RETRY_AFTER,
        limit=limit,
    )
