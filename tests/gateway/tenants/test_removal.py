"""A removed tenant leaves nothing, and hurts no other one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from maie.access.v1 import access_pb2 as access
from maie.job.v1 import job_pb2 as job
from maie.tenant.v1 import tenant_pb2 as tenants
from maie_client import Client, ClientError
from maie_gateway.limits.callers import CallerLimits
from maie_gateway.limits.settings import LimitSettings
from maie_gateway.settings import RetentionSettings
from maie_gateway.tenants.store import TenantStore
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.stored_subjects import stored_subjects
from maie_runtime.bus.streams import STREAMS
from tests.gateway.access.conftest import eventually
from tests.gateway.conftest import EmptyMesh
from tests.gateway.templates.contents import PROMPT, SCHEMA
from tests.gateway.test_residue import files_with
from tests.gateway.uploads.conftest import RAW, pieces

pytestmark = pytest.mark.mesh

FEATURES = ["raw_transcript"]


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"RECORDINGBYTES"


async def fill(client: Client, word: str) -> job.Job:
    """Gives a client's tenant something of each kind; gives its finished job."""
    asked = {"filename": f"{word}.wav", "request_id": word}
    events = client.process(recording(), features=FEATURES, **asked)  # type: ignore[arg-type]
    made = [each async for each in events][-1].finished.job
    await client.shares.create(made.job_id)
    await client.templates.save("ours", 0, SCHEMA, f"{PROMPT} {word}")
    begun = await client.uploads.begin(job.JobConfig(features=RAW.features, filename=f"{word}.wav"))
    await client.uploads.append(begun.upload_id, 0, pieces(b"RECORDINGBYTES"))
    return made


async def entries_of(broker: Broker, tenant: str) -> list[str]:
    """The subjects of all that is stored under a tenant's name, but for the audit log."""
    found: set[str] = set()
    for stream in STREAMS:
        if stream.name != subjects.AUDIT:
            found |= await stored_subjects(broker.client, stream.name or "")
    return sorted(subject for subject in found if tenant in subject.split("."))


async def test_nothing_of_a_removed_tenant_is_left_and_all_of_another(
    empty_mesh: EmptyMesh, tmp_path: Path
) -> None:
    async with empty_mesh.running() as admin:
        acme, other = (admin.acting(tenant=name) for name in ("acme", "other"))
        gone, kept = await fill(acme, "Xylophonia"), await fill(other, "Quandary")
        for name in ("acme", "other"):
            await admin.tenants.set_limits(name, tenants.TenantLimits(streams=9), 0)
        keys = [
            await admin.keys.create(scopes=[access.SCOPE_READ], tenant=name)
            for name in ("acme", "other")
        ]
        async with open_provisioned_broker(empty_mesh.nats.url, "test") as broker:
            before = await entries_of(broker, "other")
            folders = [tmp_path / "blobs", empty_mesh.nats.store]
            assert files_with(folders, ["Xylophonia"])
            assert [count async for count in admin.tenants.remove("acme")] == [0, 1, 1]
            # What is left is the mark that it was removed, which expires.
            assert await entries_of(broker, "acme") == ["$KV.maie_tenants.acme"]
            assert await entries_of(broker, "other") == before
        assert not files_with(folders, ["Xylophonia"])
        with pytest.raises(ClientError) as not_found:
            await acme.get_job(gone.job_id)
        assert not_found.value.reason == "JOB_NOT_FOUND"
        with pytest.raises(ClientError) as unknown:
            await admin.acting(token=keys[0].api_key).get_caller()
        assert unknown.value.reason == "CREDENTIALS_INVALID"
        assert (await admin.acting(token=keys[1].api_key).get_caller()).tenant == "other"
        assert await other.get_job(kept.job_id) == kept
        assert await other.shares.list(kept.job_id)
        assert (await other.get_template("ours")).version == 1

        async def is_shown() -> bool:
            return [each.tenant for each in await admin.tenants.list()] == ["other"]

        assert await eventually(is_shown)
        # A tenant of the same name begins anew.
        await admin.tenants.set_limits("acme", tenants.TenantLimits(streams=5), 0)
        wanted = access.ListAuditEntriesRequest(action="RemoveTenant")
        entries = [each.about_tenant async for each in admin.audit.entries(wanted)]
        assert entries == ["acme"]


async def test_a_removal_whose_gateway_died_is_gone_on_with(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as admin:
        made = await fill(admin.acting(tenant="acme"), "Xylophonia")
    async with open_provisioned_broker(empty_mesh.nats.url, "test") as broker:
        # As a gateway that died right after it began.
        await TenantStore(broker, CallerLimits(LimitSettings())).mark("acme")
        empty_mesh.gateway_options["retention"] = RetentionSettings(sweep_seconds=0.2)
        async with empty_mesh.running() as admin:

            async def is_gone() -> bool:
                return await entries_of(broker, "acme") == ["$KV.maie_tenants.acme"] and not any(
                    each.removing for each in await admin.tenants.list()
                )

            assert await eventually(is_gone)
            with pytest.raises(ClientError) as not_found:
                await admin.acting(tenant="acme").get_job(made.job_id)
            assert not_found.value.reason == "JOB_NOT_FOUND"


async def test_nobody_removes_the_tenant_of_the_own_key(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        key = await client.keys.create(scopes=[access.SCOPE_ADMIN], tenant="acme")
        with pytest.raises(ClientError) as refused:
            async for _ in client.acting(token=key.api_key).tenants.remove("acme"):
                pass
        assert refused.value.reason == "TENANT_NOT_ALLOWED"
