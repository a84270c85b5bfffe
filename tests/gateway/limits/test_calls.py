"""Calls a second, streams and watches: each limit by its name, and free again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import pytest

from maie.access.v1 import access_pb2 as access
from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_gateway.limits.settings import LimitSettings, TenantLimits
from tests.gateway.access.conftest import Guarded, eventually
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_slow_uploads import Uploads, moving
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
# Slow enough that no machine gets a token while a test looks.
SLOW = 0.02


async def refusal(client: Client) -> ClientError | None:
    """How a call is refused; None where it is not."""
    try:
        async for _ in client.list_jobs():
            pass
    except ClientError as error:
        return error
    return None


async def limit_after(client: Client, calls: int) -> str:
    """The limit that refuses a call after so many that are served."""
    for _ in range(calls):
        assert await refusal(client) is None
    refused = await refusal(client)
    assert refused is not None
    assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refused.retry_after
    assert refused.limit in refused.message
    return refused.limit


def limit(guarded: Guarded, **limits: object) -> None:
    """Sets the limits of callers."""
    guarded.mesh.gateway_options["limits"] = LimitSettings(**limits)  # type: ignore[arg-type]


async def test_a_key_that_calls_too_fast_leaves_room_for_others(guarded: Guarded) -> None:
    limit(guarded, requests_per_second=SLOW, requests_burst=6, key_share=0.5)
    async with guarded.mesh.gateway() as address, AsyncExitStack() as stack:
        keys = [await guarded.key(address, tenant) for tenant in ("acme", "acme")]
        first, second = [
            await stack.enter_async_context(Client(address, token=key.api_key)) for key in keys
        ]
        assert await limit_after(first, 3) == "key_requests"
        assert await limit_after(second, 3) == "key_requests"
        third = await guarded.key(address, "acme")
        async with Client(address, token=third.api_key) as client:
            assert await limit_after(client, 0) == "tenant_requests"


async def test_another_tenant_is_not_limited_by_it(guarded: Guarded) -> None:
    limit(
        guarded,
        requests_per_second=SLOW,
        requests_burst=6,
        key_share=1,
        tenants={"large": TenantLimits(requests_burst=9)},
    )
    async with guarded.mesh.gateway() as address, AsyncExitStack() as stack:
        clients = {}
        for tenant in ("acme", "large", "other"):
            key = await guarded.key(address, tenant)
            client = Client(address, token=key.api_key)
            clients[tenant] = await stack.enter_async_context(client)
        assert await limit_after(clients["acme"], 6) == "key_requests"
        assert await limit_after(clients["large"], 9) == "key_requests"
        assert await refusal(clients["other"]) is None


async def test_calls_are_served_again_after_the_retry_delay(guarded: Guarded) -> None:
    limit(guarded, requests_per_second=2, requests_burst=1, key_share=1)
    async with guarded.mesh.gateway() as address:
        key = await guarded.key(address, "acme")
        async with Client(address, token=key.api_key) as client:
            refused = None
            while refused is None:
                refused = await refusal(client)
            assert refused.reason == "RATE_LIMITED"
            assert refused.retry_after
            await asyncio.sleep(refused.retry_after.total_seconds())
            assert await refusal(client) is None


async def test_the_user_who_runs_it_is_not_limited(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["limits"] = LimitSettings(
        requests_per_second=SLOW, requests_burst=1, streams=1, watches=1
    )
    async with empty_mesh.gateway() as address, Client(address) as client:
        for _ in range(5):
            assert await refusal(client) is None


@asynccontextmanager
async def watching(client: Client, job_id: str) -> AsyncIterator[None]:
    """Watches a job, from its first event on."""
    begun = asyncio.Event()

    async def watch() -> None:
        async for _ in client.watch_job(job_id):
            begun.set()

    task = asyncio.create_task(watch())
    waiting = asyncio.create_task(begun.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield
    finally:
        task.cancel()
        waiting.cancel()
        await asyncio.wait({task, waiting})


async def refused_watch(client: Client, job_id: str) -> str:
    """The limit that refuses a watch; empty where none does."""
    try:
        async with watching(client, job_id):
            return ""
    except ClientError as error:
        return error.limit if error.reason == "STREAMS_FULL" and error.retry_after else "none"


@pytest.mark.parametrize(
    ("limits", "of_key", "of_tenant"),
    [
        ({"watches": 4}, "key_watches", "tenant_watches"),
        ({"streams": 4, "watches": 50}, "key_streams", "tenant_streams"),
    ],
)
async def test_watches_are_limited_and_free_again(
    guarded: Guarded, limits: dict[str, int], of_key: str, of_tenant: str
) -> None:
    limit(guarded, **limits)
    async with guarded.mesh.gateway() as address, AsyncExitStack() as stack:
        keys = [await guarded.key(address, "acme") for _ in range(3)]
        keys.append(await guarded.key(address, "other"))
        mine, twin, third, other = [
            await stack.enter_async_context(Client(address, token=key.api_key)) for key in keys
        ]
        ours = (await mine.create_job(short(), features=RAW)).job_id
        theirs = (await other.create_job(short(), features=RAW)).job_id
        async with watching(mine, ours), watching(mine, ours):
            assert await refused_watch(mine, ours) == of_key
            async with watching(twin, ours), watching(twin, ours):
                assert await refused_watch(third, ours) == of_tenant
                assert await refused_watch(other, theirs) == ""
            assert await eventually(lambda: is_served(third, ours))
        assert await eventually(lambda: is_served(mine, ours))


async def is_served(client: Client, job_id: str) -> bool:
    """Whether a watch is let in."""
    return not await refused_watch(client, job_id)


async def test_the_streams_of_a_revoked_key_make_room(guarded: Guarded) -> None:
    limit(guarded, watches=1, key_share=1)
    async with guarded.mesh.gateway() as address, AsyncExitStack() as stack:
        keys = [await guarded.key(address, "acme") for _ in range(2)]
        first, second = [
            await stack.enter_async_context(Client(address, token=key.api_key)) for key in keys
        ]
        watched = (await first.create_job(short(), features=RAW)).job_id
        holding = await first.create_job(short(), features=RAW)
        watch = asyncio.create_task(watched_to_its_end(first, holding.job_id))
        assert await eventually(lambda: is_full(second, watched))
        async with guarded.admin(address) as admin:
            await admin.keys.revoke(keys[0].key.key_id)
        assert await eventually(lambda: is_served(second, watched))
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await watch == "CREDENTIALS_INVALID"


async def is_full(client: Client, job_id: str) -> bool:
    """Whether a watch is refused."""
    return await refused_watch(client, job_id) != ""


async def watched_to_its_end(client: Client, job_id: str) -> str:
    """Why a watch ends."""
    try:
        async for _ in client.watch_job(job_id):
            pass
    except ClientError as error:
        return error.reason
    return ""


async def test_uploads_are_limited_for_each_key(guarded: Guarded) -> None:
    guarded.mesh.gateway_options["max_uploads_per_tenant"] = 2
    async with guarded.mesh.gateway() as address, AsyncExitStack() as stack:
        keys = [await guarded.key(address, "acme") for _ in range(3)]
        first, second, third = [
            await stack.enter_async_context(Client(address, token=key.api_key)) for key in keys
        ]
        enough = asyncio.Event()
        known = Uploads()
        uploads: list[asyncio.Task[job.Job]] = []
        for client, refused_client, limit_name in (
            (first, first, "key_uploads"),
            (second, third, "tenant_uploads"),
        ):
            uploads.append(asyncio.create_task(client.create_job(moving(enough), features=RAW)))
            await until(lambda: len(known.under_way) == len(uploads))
            with pytest.raises(ClientError) as refused:
                await refused_client.create_job(short(), features=RAW)
            assert (refused.value.reason, refused.value.limit) == ("UPLOADS_FULL", limit_name)
            assert refused.value.retry_after
        enough.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*uploads)
        await first.create_job(short(), features=RAW)


async def short() -> AsyncIterator[bytes]:
    """A recording that comes at once."""
    yield b"x" * 9


async def test_jobs_of_a_tenant_have_a_limit_of_their_own(guarded: Guarded) -> None:
    limit(guarded, tenants={"acme": TenantLimits(active_jobs=1)})
    async with guarded.mesh.gateway() as address:
        keys = {tenant: await guarded.key(address, tenant) for tenant in ("acme", "other")}
        async with Client(address, token=keys["acme"].api_key) as client:
            only = await client.create_job(short(), features=RAW)
            with pytest.raises(ClientError) as refused:
                await client.create_job(short(), features=RAW)
            assert (refused.value.reason, refused.value.limit) == ("TENANT_QUOTA", "tenant_jobs")
            await client.cancel_job(only.job_id)
            await client.create_job(short(), features=RAW)
        async with Client(address, token=keys["other"].api_key) as client:
            for _ in range(3):
                await client.create_job(short(), features=RAW)


async def test_wrong_credentials_are_slowed_down_and_right_ones_are_not(guarded: Guarded) -> None:
    limit(guarded, failed_credentials_per_minute=2)
    async with guarded.mesh.gateway() as address:
        key = await guarded.key(address, "acme", (access.SCOPE_READ,))
        async with (
            Client(address, token=f"{key.api_key}A") as wrong,
            Client(address) as without,
            Client(address, token=key.api_key) as right,
        ):
            reasons = [
                refused.reason
                for client in (wrong, without, wrong, without)
                if (refused := await refusal(client))
            ]
            first = ["CREDENTIALS_INVALID", "CREDENTIALS_MISSING"]
            assert reasons == [*first, "RATE_LIMITED", "RATE_LIMITED"]
            refused = await refusal(wrong)
            assert refused is not None
            assert refused.limit == "address_failed_credentials"
            assert refused.retry_after
            assert await refusal(right) is None


def test_settings_name_what_there_is() -> None:
    with pytest.raises(ValueError, match="extra"):
        LimitSettings.model_validate({"tenants": {"acme": {"request_per_second": 3}}})


async def test_an_upload_over_the_rate_learns_the_limit(guarded: Guarded) -> None:
    limit(guarded, requests_per_second=SLOW, requests_burst=1, key_share=1)
    async with guarded.mesh.gateway() as address:
        key = await guarded.key(address, "acme")
        async with Client(address, token=key.api_key) as client:
            assert await refusal(client) is None
            with pytest.raises(ClientError) as refused:
                await client.create_job(moving(asyncio.Event()), features=RAW)
            assert refused.value.limit == "key_requests"
