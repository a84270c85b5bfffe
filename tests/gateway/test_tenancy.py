"""Tenants see their own jobs and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError, JobOptions
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
ABSENT = "01900000-0000-7000-8000-000000000000"


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def watch(client: Client, job_id: str) -> list[job.JobEvent]:
    """All events of a job."""
    return [told async for told in client.watch_job(job_id)]


ASKING: dict[str, Callable[[Client, str], Awaitable[object]]] = {
    "get": lambda client, job_id: client.get_job(job_id),
    "audio": lambda client, job_id: anext(client.get_audio(job_id)),
    "watch": watch,
    "cancel": lambda client, job_id: client.cancel_job(job_id),
    "retry": lambda client, job_id: client.retry_job(job_id),
    "update": lambda client, job_id: client.update_job(job_id, display_name="mine now"),
    "delete": lambda client, job_id: client.delete_job(job_id),
}


async def refusal(asking: Awaitable[object]) -> ClientError:
    """How a call is refused."""
    with pytest.raises(ClientError) as refused:
        await asking
    return refused.value


async def test_another_tenants_job_looks_like_an_absent_one(empty_mesh: EmptyMesh) -> None:
    async with (
        empty_mesh.gateway() as address,
        Client(address, tenant="ours") as ours,
        Client(address, tenant="theirs") as theirs,
    ):
        made = await ours.create_job(recording(), features=RAW)
        assert made.tenant == "ours"
        for ask in ASKING.values():
            other = await refusal(ask(theirs, made.job_id))
            absent = await refusal(ask(theirs, ABSENT))
            assert (other.reason, other.code) == (absent.reason, absent.code)
            assert str(other).replace(made.job_id, ABSENT) == str(absent)
        assert (await ours.get_job(made.job_id)).display_name == made.display_name


async def test_lists_hold_a_tenants_own_jobs(empty_mesh: EmptyMesh) -> None:
    async with (
        empty_mesh.gateway() as address,
        Client(address) as nobody,
        Client(address, tenant="ours") as ours,
    ):
        own = await ours.create_job(recording(), features=RAW)
        other = await nobody.create_job(recording(), features=RAW)
        assert other.tenant == "default"
        assert [shown.job_id async for shown in ours.list_jobs()] == [own.job_id]
        assert [shown.job_id async for shown in nobody.list_jobs()] == [other.job_id]


@pytest.mark.parametrize("tenant", ["Ours", "-ours", "a.b", "*", "x" * 33, "a b"])
async def test_a_tenant_that_is_no_name_is_refused(empty_mesh: EmptyMesh, tenant: str) -> None:
    async with empty_mesh.gateway() as address, Client(address, tenant=tenant) as client:
        refused = await refusal(client.create_job(recording(), features=RAW))
        assert (refused.code.name, refused.reason) == ("INVALID_ARGUMENT", "TENANT_INVALID")


async def test_a_tenant_over_its_quota_leaves_room_for_others(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options |= {"max_active_jobs_per_tenant": 1, "max_active_jobs": 2}
    async with (
        empty_mesh.gateway() as address,
        Client(address, tenant="a") as a,
        Client(address, tenant="b") as b,
        Client(address, tenant="c") as c,
    ):
        await a.create_job(recording(), features=RAW)
        refused = await refusal(a.create_job(recording(), features=RAW))
        assert (refused.code.name, refused.reason) == ("RESOURCE_EXHAUSTED", "TENANT_QUOTA")
        assert refused.retry_after is not None
        await b.create_job(recording(), features=RAW)
        full = await refusal(c.create_job(recording(), features=RAW))
        assert full.reason == "QUEUE_FULL"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"features": RAW, "request_id": "x" * 129}, "REQUEST_ID_INVALID"),
        ({"features": RAW, "display_name": "x" * 201}, "DISPLAY_NAME_INVALID"),
        ({"features": RAW, "display_name": "two\nlines"}, "DISPLAY_NAME_INVALID"),
        ({"features": RAW, "labels": {"Key": "x"}}, "LABELS_INVALID"),
        ({"features": RAW, "labels": {"key": "x" * 257}}, "LABELS_INVALID"),
        ({"features": RAW, "labels": {f"key{i}": "x" for i in range(33)}}, "LABELS_INVALID"),
    ],
)
async def test_names_and_labels_are_bounded(
    empty_mesh: EmptyMesh, options: JobOptions, reason: str
) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        refused = await refusal(client.create_job(recording(), **options))
        assert (refused.code.name, refused.reason) == ("INVALID_ARGUMENT", reason)
