"""Removes a tenant with all that it has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.access.key_store import KeyStore
from maie_gateway.care.removal import Removal
from maie_gateway.records.bucket_errors import bucket_errors
from maie_gateway.records.store import GONE, JobStore
from maie_gateway.templates.own import OwnTemplates
from maie_gateway.tenants.store import TenantStore
from maie_gateway.uploads.uploads import Uploads
from maie_gateway.voices.voices import Voices
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase_all

log = structlog.get_logger()


class TenantRemoval:
    """Removes tenants.

    A mark in the bucket of tenants comes first and goes last: where a gateway dies, or who asked
    leaves, the sweeper of any gateway goes on. Each step may be taken again.

    Args:
        broker: Has shares and request ids.
        store: The job records.
        removal: Removes jobs.
        keys: The API keys.
        uploads: The resumable uploads.
        templates: The tenants' templates.
        voices: The profiles of voices.
        tenants: Has the marks.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        store: JobStore,
        removal: Removal,
        keys: KeyStore,
        uploads: Uploads,
        templates: OwnTemplates,
        voices: Voices,
        tenants: TenantStore,
    ) -> None:
        self._broker = broker
        self._store = store
        self._removal = removal
        self._keys = keys
        self._uploads = uploads
        self._templates = templates
        self._voices = voices
        self._tenants = tenants

    async def remove(self, tenant: str) -> AsyncIterator[int]:
        """Removes a tenant; yields how many of its jobs were removed so far.

        Raises:
            StageError: UNAVAILABLE: the sweeper goes on later.
        """
        await self._tenants.mark(tenant)
        removed = 0
        yield removed
        async for removed in self._go_on(tenant):
            yield removed

    async def finish(self, tenant: str) -> None:
        """Goes on with a removal that was begun before."""
        async for _ in self._go_on(tenant):
            pass

    def begun(self) -> list[str]:
        """The tenants whose removal was begun."""
        return sorted(name for name, each in self._tenants.known().items() if each.removing)

    async def _go_on(self, tenant: str) -> AsyncIterator[int]:
        removed = 0
        if not self._is_begun(tenant):
            return
        # Keys first, so that no program adds to what is removed.
        await self._keys.forget_all(tenant)
        while jobs := await self._jobs(tenant):
            for job_id in jobs:
                if not self._is_begun(tenant):
                    return  # another gateway is through, and a new tenant may have the name
                await self._remove_job(job_id)
                removed += 1
                yield removed
        if not self._is_begun(tenant):
            return
        for owner, upload_id in await self._uploads.store.all_ids():
            if owner == tenant:
                await self._uploads.remove(tenant, upload_id)
        await self._templates.remove_all(tenant)
        await self._voices.remove_all(tenant)
        await self._remove_rest(tenant)
        await self._tenants.forget(tenant)
        log.info("tenant.removed", tenant=tenant, jobs=removed)

    def _is_begun(self, tenant: str) -> bool:
        return tenant in self.begun()

    async def _jobs(self, tenant: str) -> list[str]:
        """The ids of a tenant's jobs, by the records: lists may be behind."""
        found = []
        for job_id in await self._store.ids():
            try:
                await self._store.get_own(job_id, tenant)
            except StageError as error:
                if error.reason not in GONE:
                    raise
            else:
                found.append(job_id)
        return found

    async def _remove_job(self, job_id: str) -> None:
        try:
            await self._removal.remove(job_id)
        except StageError as error:
            # It went with another one, or another gateway removed it.
            if error.reason != Reason.JOB_NOT_FOUND:
                raise

    async def _remove_rest(self, tenant: str) -> None:
        """Removes what a crash may have left without a job."""
        shares = subjects.bucket_subject(subjects.SHARES, subjects.share(tenant, "*", "*"))
        requests = subjects.bucket_subject(subjects.REQUESTS, f"{tenant}.*")
        with bucket_errors():
            await erase_all(self._broker, subjects.bucket_stream(subjects.SHARES), shares)
            await self._broker.jetstream.purge_stream(
                subjects.bucket_stream(subjects.REQUESTS), subject=requests
            )
