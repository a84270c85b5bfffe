"""What tenants do with shares of their jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from google.protobuf.duration_pb2 import Duration

from maie.share.v1 import share_pb2 as share
from maie.share.v1 import stored_pb2 as stored
from maie_core.caller import Caller
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_core.share_tokens import is_share_id, new_token
from maie_gateway.records.store import JobStore
from maie_gateway.shares.settings import ShareSettings
from maie_gateway.shares.store import ANY, ShareStore

log = structlog.get_logger()

SHORTEST_LIFETIME = timedelta(minutes=1)


class Shares:
    """The shares of all tenants.

    Args:
        store: The bucket of shares.
        jobs: The job records.
        settings: How long shares work, and how many there may be.
    """

    def __init__(self, store: ShareStore, jobs: JobStore, settings: ShareSettings) -> None:
        self._store = store
        self._jobs = jobs
        self._settings = settings

    async def create(
        self, caller: Caller, request: share.CreateShareRequest
    ) -> share.CreateShareResponse:
        """Makes a share of a job of the caller's tenant.

        Raises:
            StageError: As the contract says.
        """
        lifetime = self._lifetime(request)
        await self._jobs.get_own(request.job_id, caller.tenant)
        await self._check_room(caller.tenant, request.job_id)
        token = new_token(request.job_id)
        shown = share.Share(
            share_id=token.share_id,
            job_id=request.job_id,
            audio=request.audio,
            created_by=caller.id,
        )
        now = datetime.now(UTC)
        shown.create_time.FromDatetime(now)
        shown.expire_time.FromDatetime(now + lifetime)
        await self._store.create(
            caller.tenant, stored.StoredShare(share=shown, sha256=token.sha256)
        )
        log.info("share.created", share=token.share_id, tenant=caller.tenant, audio=request.audio)
        return share.CreateShareResponse(share=shown, token=token.text)

    async def listed(self, tenant: str, job_id: str) -> list[share.Share]:
        """The shares of a tenant, or of one job of it, that work; the newest first.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND, or UNAVAILABLE.
        """
        if job_id:
            await self._jobs.get_own(job_id, tenant)
        return await self._store.listed(tenant, job_id or ANY)

    async def revoke(self, tenant: str, job_id: str, share_id: str) -> None:
        """Ends a share at once.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND or SHARE_NOT_FOUND, or UNAVAILABLE.
        """
        await self._jobs.get_own(job_id, tenant)
        if not is_share_id(share_id) or not await self._store.erase(tenant, job_id, share_id):
            raise StageError(
                Code.NOT_FOUND,
                Reason.SHARE_NOT_FOUND,
                "The job has no such share that works; `maie share list` shows those there are.",
                field="share_id",
            )
        log.info("share.revoked", share=share_id, tenant=tenant)

    def _lifetime(self, request: share.CreateShareRequest) -> timedelta:
        if not self._settings.max_per_job:
            raise StageError(
                Code.PERMISSION_DENIED,
                Reason.SHARES_OFF,
                "Nobody may share recordings of this mesh; ask its operator, who can set "
                "MAIE_GATEWAY_SHARE_MAX_PER_JOB.",
            )
        if not request.HasField("lifetime"):
            return self._settings.default_lifetime
        longest = self._settings.longest_lifetime
        found = _timedelta(request.lifetime)
        if not SHORTEST_LIFETIME <= found <= longest:
            raise invalid(
                Reason.FIELD_INVALID,
                f"A share works for {SHORTEST_LIFETIME} to {longest}, in days, hours, minutes and "
                "seconds; ask for a time between.",
                field="lifetime",
            )
        return found

    async def _check_room(self, tenant: str, job_id: str) -> None:
        most_of_job, most_of_tenant = self._settings.max_per_job, self._settings.max_per_tenant
        if await self._store.count(tenant, job_id) >= most_of_job:
            raise _full(f"The job has {most_of_job} shares")
        if await self._store.count(tenant) >= most_of_tenant:
            raise _full(f"The tenant {tenant} has {most_of_tenant} shares")


def _timedelta(duration: Duration) -> timedelta:
    """A duration, with those that are too long for a timedelta cut short."""
    bounded = min(max(duration.seconds, -1), 10**10)
    return timedelta(seconds=bounded, microseconds=duration.nanos // 1000)


def _full(what: str) -> StageError:
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.SHARES_FULL,
        f"{what}, which is all that it may have; revoke one first.",
    )
