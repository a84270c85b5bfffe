"""Tenants are listed with what they have, and their limits are set for all gateways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from maie.access.v1 import access_pb2 as access
from maie.tenant.v1 import tenant_pb2 as tenants
from maie_client import Client, ClientError
from maie_core.errors import StageError
from maie_gateway.limits.settings import LimitSettings, TenantLimits
from maie_gateway.tenants.messages import check, from_message, to_message
from tests.gateway.access.conftest import eventually
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

FEATURES = ["raw_transcript"]


async def sound() -> AsyncIterator[bytes]:
    """A recording."""
    yield b"x" * 9


async def refusal(client: Client) -> str:
    """The limit that refuses a recording, or the reason; empty where none does."""
    try:
        await client.create_job(sound(), features=FEATURES)
    except ClientError as error:
        return error.limit or error.reason
    return ""


def test_a_message_of_limits_is_read_as_it_was_written() -> None:
    limits = TenantLimits(requests_per_second=2.5, active_jobs=7, audio_hours_per_day=0)
    assert from_message(to_message(limits)) == limits


async def test_limits_are_set_for_all_gateways_and_audited(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["limits"] = LimitSettings(tenants={"b": TenantLimits(streams=9)})
    async with AsyncExitStack() as stack:
        addresses = [await stack.enter_async_context(empty_mesh.gateway()) for _ in range(2)]
        admin = await stack.enter_async_context(Client(addresses[0]))
        here, there = [
            await stack.enter_async_context(Client(address, tenant="acme")) for address in addresses
        ]
        # Without stages, the job waits.
        assert await refusal(here) == ""
        await admin.keys.create(scopes=[access.SCOPE_READ], tenant="c")

        async def is_shown() -> bool:
            return any(each.use.jobs for each in await admin.tenants.list())

        assert await eventually(is_shown)
        listed = {each.tenant: each for each in await admin.tenants.list()}
        assert list(listed) == ["acme", "b", "c"]
        assert (listed["acme"].use.running_jobs, listed["acme"].use.jobs) == (1, 1)
        assert (listed["acme"].limits.active_jobs, listed["acme"].limits_revision) == (40, 0)
        assert not listed["acme"].limits.HasField("audio_hours_per_day")
        assert (listed["b"].limits.streams, listed["b"].own_limits.HasField("streams")) == (
            9,
            False,
        )
        assert listed["c"].use.keys == 1

        limits = tenants.TenantLimits(active_jobs=1)
        revision = await admin.tenants.set_limits("acme", limits, 0)
        assert await refusal(here) == "tenant_jobs"

        async def is_refused() -> bool:
            return await refusal(there) == "tenant_jobs"

        assert await eventually(is_refused)
        (acme, *_) = await admin.tenants.list()
        assert (acme.own_limits, acme.limits_revision) == (limits, revision)
        assert (acme.limits.active_jobs, acme.limits.streams) == (1, 400)
        with pytest.raises(ClientError) as outdated:
            await admin.tenants.set_limits("acme", tenants.TenantLimits(), 0)
        assert outdated.value.reason == "LIMITS_OUTDATED"
        # A gateway that starts later has them at once.
        later = await stack.enter_async_context(empty_mesh.gateway())
        async with Client(later, tenant="acme") as client:
            assert await refusal(client) == "tenant_jobs"
        await admin.tenants.set_limits("acme", tenants.TenantLimits(), revision)
        assert await refusal(here) == ""

        wanted = access.ListAuditEntriesRequest(action="SetTenantLimits")
        entries = [each async for each in admin.audit.entries(wanted)]
        assert [(each.about_tenant, each.status) for each in entries] == [
            ("acme", "OK"),
            ("acme", "ABORTED"),
            ("acme", "OK"),
        ]


@pytest.mark.parametrize(
    "wrong",
    [
        tenants.TenantLimits(streams=0),
        tenants.TenantLimits(active_jobs=1_000_001),
        tenants.TenantLimits(requests_per_second=0),
        tenants.TenantLimits(requests_per_second=float("nan")),
        tenants.TenantLimits(audio_hours_per_day=-1),
        tenants.TenantLimits(audio_hours_per_day=float("inf")),
    ],
    ids=str,
)
def test_limits_out_of_their_range_are_refused(wrong: tenants.TenantLimits) -> None:
    with pytest.raises(StageError) as refused:
        check(wrong)
    ((field, _),) = wrong.ListFields()
    assert refused.value.field == f"limits.{field.name}"
