"""What each tenant of a mesh has now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from maie.tenant.v1 import tenant_pb2 as tenants
from maie_gateway.access.key_store import KeyStore, ended_at
from maie_gateway.limits.audio_hours import AudioHours
from maie_gateway.readmodel import ReadModel
from maie_gateway.records.changes import JobChanges
from maie_gateway.uploads.store import UploadStore


class Uses:
    """Counts what tenants have.

    Args:
        changes: The unfinished jobs.
        audio_hours: Their audio of today.
        model: All jobs.
        uploads: The resumable uploads.
        keys: The API keys.
    """

    def __init__(
        self,
        *,
        changes: JobChanges,
        audio_hours: AudioHours,
        model: ReadModel,
        uploads: UploadStore,
        keys: KeyStore,
    ) -> None:
        self._changes = changes
        self._audio_hours = audio_hours
        self._model = model
        self._uploads = uploads
        self._keys = keys

    async def now(self) -> dict[str, tenants.TenantUse]:
        """What each tenant has that has anything.

        Raises:
            StageError: UNAVAILABLE with READ_MODEL_UNAVAILABLE or BROKER_UNAVAILABLE.
        """
        counts: dict[str, Mapping[str, int]] = {
            "jobs": await self._model.count_by_tenant(),
            "unfinished_uploads": await self._uploads.unfinished_by_tenant(),
            "keys": await self._working_keys(),
            **self._jobs(),
        }
        found: dict[str, tenants.TenantUse] = {}
        for name, by_tenant in counts.items():
            for tenant, count in by_tenant.items():
                setattr(found.setdefault(tenant, tenants.TenantUse()), name, count)
        for tenant, use in found.items():
            use.audio_today.FromNanoseconds(round(self._audio_hours.used(tenant) * 1e9))
        return found

    def _jobs(self) -> dict[str, Mapping[str, int]]:
        active = self._changes.active_jobs.values()
        return {
            "running_jobs": Counter(each.tenant for each in active if not (each.held or each.live)),
            "held_jobs": Counter(each.tenant for each in active if each.held),
            "live_sessions": Counter(each.tenant for each in active if each.live),
        }

    async def _working_keys(self) -> Counter[str]:
        now = datetime.now(UTC)
        return Counter(
            key.tenant
            for key in await self._keys.listed("")
            if (end := ended_at(key)) is None or end > now
        )
