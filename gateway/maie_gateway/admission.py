"""How many jobs are let in at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from maie_gateway.changes import JobChanges
from maie_runtime.errors import Code, StageError

RETRY_AFTER = timedelta(seconds=10)


class Admission:
    """Counts unfinished jobs and uploads, and refuses what is over a limit.

    Args:
        changes: Knows the unfinished jobs.
        max_active_jobs: How many jobs of all tenants may be unfinished.
        max_active_jobs_per_tenant: How many of one tenant.
    """

    def __init__(
        self, changes: JobChanges, max_active_jobs: int, max_active_jobs_per_tenant: int
    ) -> None:
        self._changes = changes
        self._limit = max_active_jobs
        self._tenant_limit = max_active_jobs_per_tenant
        self._uploads: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def place(self, tenant: str, submit: str) -> Iterator[None]:
        """Holds a place in the queue while a recording is uploaded.

        Args:
            tenant: Whose job it becomes.
            submit: What tells submits apart. Those of the same name become the
                same job and need one place.

        Raises:
            StageError: RESOURCE_EXHAUSTED with TENANT_QUOTA or QUEUE_FULL and
                a retry hint.
        """
        if (tenant, submit) not in self._uploads:
            self._check(tenant)
        self._uploads[tenant, submit] += 1
        try:
            yield
        finally:
            self._uploads[tenant, submit] -= 1
            if not self._uploads[tenant, submit]:
                del self._uploads[tenant, submit]

    def _check(self, tenant: str) -> None:
        own = sum(owner == tenant for owner, _ in self._uploads) + self._active(tenant)
        if own >= self._tenant_limit:
            raise _full(
                "TENANT_QUOTA",
                f"{self._tenant_limit} jobs of tenant {tenant} are unfinished already",
            )
        if len(self._uploads) + len(self._changes.active) >= self._limit:
            raise _full("QUEUE_FULL", f"{self._limit} jobs are unfinished already")

    def _active(self, tenant: str) -> int:
        return sum(known.tenant == tenant for known in self._changes.active_jobs.values())


def _full(reason: str, message: str) -> StageError:
    return StageError(
        Code.RESOURCE_EXHAUSTED, reason, f"{message}; try again later.", retry_after=RETRY_AFTER
    )
