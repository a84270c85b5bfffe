"""How many jobs and uploads are let in at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from maie_gateway.intake.pace import Pace
from maie_gateway.records.changes import JobChanges
from maie_runtime.errors import Code, StageError
from maie_runtime.reasons import Reason

log = structlog.get_logger()

RETRY_AFTER = timedelta(seconds=10)


@dataclass(kw_only=True, frozen=True, slots=True)
class AdmissionLimits:
    """How much is let in.

    Attributes:
        jobs: How many jobs of all tenants may be unfinished.
        jobs_per_tenant: How many of one tenant.
        uploads: How many recordings may be on their way at once.
        uploads_per_tenant: How many of one tenant.
    """

    jobs: int
    jobs_per_tenant: int
    uploads: int
    uploads_per_tenant: int


@dataclass(kw_only=True, eq=False, slots=True)
class Upload:
    """A recording on its way.

    Attributes:
        tenant: Whose it is.
        submit: Uploads of one name become one job; empty for one that exists.
        pace: How it comes.
        job_id: The job that it becomes, once all of it is there.
    """

    tenant: str
    submit: str
    pace: Pace
    job_id: str = ""


class Admission:
    """Counts unfinished jobs and uploads, and refuses what is over a limit.

    An upload takes the place of the job that it becomes, so that nobody sends
    a whole recording in vain; but only as long as it moves. One that stands
    still keeps no job out, and gives its own place to whoever needs it.

    Args:
        changes: Knows the unfinished jobs.
        limits: How much is let in.
    """

    def __init__(self, changes: JobChanges, limits: AdmissionLimits) -> None:
        self._changes = changes
        self._limits = limits
        self._uploads: set[Upload] = set()

    @contextmanager
    def upload(self, tenant: str, submit: str, pace: Pace) -> Iterator[Upload]:
        """Holds a place while a recording is uploaded and becomes a job.

        Args:
            tenant: Whose job it becomes.
            submit: What tells submits apart. Those of the same name become the
                same job and need one job's place. Empty where the job exists.
            pace: How the recording comes.

        Raises:
            StageError: RESOURCE_EXHAUSTED with TENANT_QUOTA, QUEUE_FULL or
                UPLOADS_FULL, and a retry hint.
        """
        coming = [each for each in self._uploads if each.job_id or not each.pace.stalled]
        if submit and (tenant, submit) not in self._places(coming):
            self._check_jobs(tenant, self._places(coming))
        self._make_room(tenant)
        upload = Upload(tenant=tenant, submit=submit, pace=pace)
        self._uploads.add(upload)
        try:
            yield upload
        finally:
            self._uploads.discard(upload)

    def complete(self, upload: Upload, job_id: str) -> None:
        """Notes that a recording is there, and checks once more: meanwhile others may have come.

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
        """The places of jobs that uploads take beside those of the unfinished jobs."""
        return {
            (upload.tenant, upload.submit)
            for upload in uploads
            if upload.submit and upload.job_id not in self._changes.active
        }

    def _check_jobs(self, tenant: str, coming: set[tuple[str, str]]) -> None:
        if len(coming) + len(self._changes.active) >= self._limits.jobs:
            raise _full(Reason.QUEUE_FULL, f"{self._limits.jobs} jobs are unfinished already")
        own = sum(owner == tenant for owner, _ in coming) + self._active(tenant)
        if own >= self._limits.jobs_per_tenant:
            raise _full(
                Reason.TENANT_QUOTA,
                f"{self._limits.jobs_per_tenant} jobs of tenant {tenant} are unfinished already",
            )

    def _make_room(self, tenant: str) -> None:
        """Finds a place for an upload, if need be that of one that stands still."""
        limits = self._limits
        own = [upload for upload in self._uploads if upload.tenant == tenant]
        if len(own) >= limits.uploads_per_tenant:
            self._displace_one(own, f" of tenant {tenant}")
        if len(self._uploads) >= limits.uploads:
            self._displace_one(self._uploads)

    def _displace_one(self, uploads: Collection[Upload], whose: str = "") -> None:
        stalled = [upload for upload in uploads if not upload.job_id and upload.pace.stalled]
        if not stalled:
            raise _full(
                Reason.UPLOADS_FULL, f"{len(uploads)} recordings{whose} are being uploaded already"
            )
        slowest = min(stalled, key=lambda upload: upload.pace.rate)
        log.warning("upload.displaced", tenant=slowest.tenant)
        self._uploads.discard(slowest)
        slowest.pace.displace()

    def _active(self, tenant: str) -> int:
        return sum(known.tenant == tenant for known in self._changes.active_jobs.values())


def _full(reason: Reason, message: str) -> StageError:
    return StageError(
        Code.RESOURCE_EXHAUSTED, reason, f"{message}; try again later.", retry_after=RETRY_AFTER
    )
