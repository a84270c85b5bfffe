"""The audit log: who did what to which job from where."""

from __future__ import annotations

import asyncio

import pytest
from nats.js.errors import APIError

from maie.access.v1 import access_pb2 as access
from maie_client import Client, ClientError
from maie_gateway.audit.calls import undecided
from maie_gateway.audit.log import MAX_PER_CALLER, AuditLog
from maie_gateway.server import SERVICES
from maie_runtime.bus import subjects
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.streams import STREAMS
from tests.gateway.access.conftest import Guarded, eventually
from tests.gateway.test_tenancy import ABSENT, recording
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

RAW = ["raw_transcript"]
SECRET_NAME = "the merger with Nobody"


async def entries(client: Client, **wanted: object) -> list[access.AuditEntry]:
    """The entries that a filter finds."""
    request = access.ListAuditEntriesRequest(page_size=2, **wanted)  # type: ignore[arg-type]
    return [entry async for entry in client.audit.entries(request)]


def shown(found: list[access.AuditEntry]) -> list[tuple[str, str]]:
    """The RPCs and outcomes of entries."""
    return [(entry.action.rpartition("/")[2], entry.reason or entry.status) for entry in found]


async def test_changes_and_reads_are_entered_with_who_and_where(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as address, guarded.admin(address) as admin:
        made = await guarded.key(address, "acme")
        async with Client(address, token=made.api_key) as client:
            job = await client.create_job(
                recording(), features=RAW, display_name=SECRET_NAME, labels={"k": SECRET_NAME}
            )
            await client.update_job(job.job_id, display_name=f"{SECRET_NAME} 2")
            for _ in range(3):
                await client.get_job(job.job_id)
            assert [each.job_id async for each in client.list_jobs()] == [job.job_id]
            await client.cancel_job(job.job_id)
            await client.delete_job(job.job_id)
        found = await entries(admin, job_id=job.job_id)
        assert shown(found) == [
            ("CreateJob", "OK"),
            ("UpdateJob", "OK"),
            ("GetJob", "OK"),
            ("CancelJob", "OK"),
            ("DeleteJob", "OK"),
        ]
        for entry in found:
            assert (entry.caller_id, entry.caller_kind) == (f"key:{made.key.key_id}", "key")
            assert entry.tenant == "acme"
            assert access.SCOPE_SUBMIT in entry.scopes
            assert entry.peer.startswith("ipv4:127.0.0.1:")
            assert entry.gateway.startswith("gateway-")
        text = "".join(map(str, await entries(admin)))
        assert SECRET_NAME not in text
        assert made.api_key not in text
        (key,) = await entries(admin, action="CreateKey")
        assert key.key_id == made.key.key_id
        assert await entries(admin, tenant="nobody") == []
        of_key = await entries(admin, caller_id=f"key:{made.key.key_id}")
        assert [entry.job_id for entry in of_key] == [job.job_id] * 5
        later = await entries(admin, start_time=found[2].entry_time, end_time=found[4].entry_time)
        assert shown(later) == [("GetJob", "OK"), ("CancelJob", "OK")]


async def test_a_stream_is_entered_before_its_first_answer(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as address, guarded.admin(address) as admin:
        made = await guarded.key(address, "acme")
        async with Client(address, token=made.api_key) as client:
            events = client.process(recording(), features=RAW)
            await anext(events)
            found = await entries(admin, tenant="acme")
            assert shown(found) == [("ProcessAudio", "OK")]
            assert [each.job_id async for each in client.list_jobs()] == [found[0].job_id]
            await admin.keys.revoke(made.key.key_id)
            with pytest.raises(ClientError):
                async for _ in events:
                    pass

            async def refused() -> bool:
                refusals = shown(await entries(admin, tenant="acme"))[1:]
                return ("ProcessAudio", "CREDENTIALS_INVALID") in refusals

            assert await eventually(refused)


async def test_refused_calls_are_entered_and_a_flood_is_counted(guarded: Guarded) -> None:
    calls = MAX_PER_CALLER + 30
    async with guarded.mesh.gateway() as address, guarded.admin(address) as admin:
        made = await guarded.key(address, "acme", (access.SCOPE_READ,))
        async with Client(address, token=made.api_key) as client:
            for asking in (client.cancel_job(ABSENT), client.get_job(ABSENT), client.get_mesh()):
                with pytest.raises(ClientError):
                    await asking

        async def three() -> bool:
            return len(await entries(admin, tenant="acme")) == 3

        assert await eventually(three)
        assert shown(await entries(admin, tenant="acme")) == [
            ("CancelJob", "SCOPE_MISSING"),
            ("GetJob", "JOB_NOT_FOUND"),
            ("GetMesh", "SCOPE_MISSING"),
        ]
        async with Client(address) as stranger:
            for _ in range(calls):
                with pytest.raises(ClientError):
                    await stranger.get_job(ABSENT)

        async def all_counted() -> bool:
            unknown = [each for each in await entries(admin) if not each.tenant]
            alone = [each for each in unknown if not each.count]
            assert len(alone) < calls
            assert all(each.caller_id == "" for each in unknown)
            return len(alone) + sum(each.count for each in unknown) == calls

        assert await eventually(all_counted)


async def test_nobody_changes_or_removes_an_entry(guarded: Guarded) -> None:
    async with (
        guarded.mesh.gateway() as address,
        open_provisioned_broker(guarded.mesh.nats.url, "test") as broker,
    ):
        await guarded.key(address, "acme")
        jetstream = broker.jetstream
        first = (await jetstream.stream_info(subjects.AUDIT)).state.first_seq
        with pytest.raises(APIError):
            await jetstream.purge_stream(subjects.AUDIT)
        with pytest.raises(APIError):
            await jetstream.delete_msg(subjects.AUDIT, first)
        (wanted,) = [each for each in STREAMS if each.name == subjects.AUDIT]
        for change in ({"deny_delete": False}, {"deny_purge": False}):
            with pytest.raises(APIError):
                await jetstream.update_stream(wanted.evolve(**change))
        assert (await jetstream.get_msg(subjects.AUDIT, first)).data


async def test_what_cannot_be_entered_has_no_answer(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maie_gateway.audit.log.GIVE_UP_SECONDS", 0.5)
    async with (
        guarded.mesh.gateway() as address,
        open_provisioned_broker(guarded.mesh.nats.url, "test") as broker,
    ):
        await guarded.key(address, "acme")
        config = (await broker.jetstream.stream_info(subjects.AUDIT)).config
        await broker.jetstream.update_stream(config.evolve(sealed=True))
        with pytest.raises(ClientError) as refused:
            await guarded.key(address, "acme")
        assert (refused.value.code.name, refused.value.reason) == (
            "UNAVAILABLE",
            "AUDIT_UNAVAILABLE",
        )


async def test_an_act_of_several_gateways_is_one_entry(guarded: Guarded) -> None:
    async with open_provisioned_broker(guarded.mesh.nats.url, "test") as broker:
        for name in ("one", "other"):
            log = AuditLog(name)
            async with log.running(broker), asyncio.timeout(PATIENCE_SECONDS):
                await log.act("RemoveExpiredJob", tenant="acme", job_id=ABSENT)
        state = (await broker.jetstream.stream_info(subjects.AUDIT)).state
        assert state.messages == 1
        stored = await broker.jetstream.get_msg(subjects.AUDIT, 1)
        entry = access.AuditEntry.FromString(stored.data or b"")
        assert (entry.caller_kind, entry.action) == ("mesh", "mesh/RemoveExpiredJob")
        assert (entry.tenant, entry.job_id, entry.gateway) == ("acme", ABSENT, "one")


async def test_each_rpc_of_a_gateway_is_decided() -> None:
    assert undecided(SERVICES) == []
    assert undecided(["grpc.health.v1.Health"]) != []
