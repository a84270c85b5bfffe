"""Each limit of the table refuses by its name, says when to try again, and is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_client import Client, ClientError
from maie_core.limit_names import Limit
from maie_gateway.limits.settings import LimitSettings, TenantLimits
from maie_gateway.live.settings import LiveSettings
from maie_runtime.rpc.errors import LIMIT_KEY
from maie_runtime.rpc.limits.calls import HEALTH_WATCHES
from tests.conftest import free_port
from tests.gateway.access.conftest import Guarded
from tests.gateway.limits.test_calls import RAW, SLOW, short, watching
from tests.gateway.live.conversation import config, details_of, talking
from tests.gateway.pages import page, samples
from tests.gateway.test_slow_uploads import Uploads, moving
from tests.waiting import until

pytestmark = pytest.mark.mesh


@dataclass(kw_only=True)
class Callers:
    """Who calls a gateway, and what they hold there.

    Attributes:
        guarded: The mesh.
        address: The gateway.
        held: What is let go of at the end.
    """

    guarded: Guarded
    address: str
    held: AsyncExitStack

    async def key(self, tenant: str = "acme") -> str:
        """A new key of a tenant."""
        return (await self.guarded.key(self.address, tenant)).api_key

    async def client(self, tenant: str = "acme") -> Client:
        """A client with a key of its own."""
        return await self.held.enter_async_context(
            Client(self.address, token=await self.key(tenant))
        )

    async def hold_upload(self, client: Client) -> None:
        """Has an upload under way until the end."""
        uploads, enough = Uploads(), asyncio.Event()
        before = len(uploads.under_way)
        task = asyncio.create_task(client.create_job(moving(enough), features=RAW))
        self.held.push_async_callback(asyncio.wait, {task})
        self.held.callback(enough.set)
        await until(lambda: len(uploads.under_way) > before)

    async def hold_watch(self, client: Client) -> str:
        """Watches a job of its own until the end; gives the job."""
        made = await client.create_job(short(), features=RAW)
        await self.held.enter_async_context(watching(client, made.job_id))
        return made.job_id

    async def hold_session(self, tenant: str = "acme") -> None:
        """Has a live session until the end."""
        talk = await self.held.enter_async_context(
            talking(self.address, token=await self.key(tenant))
        )
        await talk.start()


@dataclass(kw_only=True, frozen=True)
class Refusal:
    """How a call was refused."""

    status: str
    limit: str
    retry: timedelta
    message: str


async def refused(asking: Awaitable[object]) -> Refusal:
    """How a call of a client is refused."""
    with pytest.raises(ClientError) as error:
        await asking
    raised = error.value
    return Refusal(
        status=raised.code.name,
        limit=raised.limit,
        retry=raised.retry_after or timedelta(),
        message=raised.message,
    )


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    """How a call of a stub is refused."""
    info, retry = details_of(error)
    return Refusal(
        status=error.code().name,
        limit=info.metadata[LIMIT_KEY],
        retry=retry.retry_delay.ToTimedelta(),
        message=error.details() or "",
    )


async def refused_session(callers: Callers) -> Refusal:
    """How a live session is refused."""
    async with talking(callers.address, token=await callers.key()) as talk:
        await talk.send(start=live.StartSession(config=config()))
        await talk.failure()
        assert talk.error is not None
        return refusal_of(talk.error)


async def lists(client: Client) -> None:
    """A call that is no stream."""
    async for _ in client.list_jobs():
        pass


async def watches(client: Client, job_id: str) -> None:
    """A watch."""
    async with watching(client, job_id):
        pass


async def creates(client: Client) -> None:
    """A job."""
    await client.create_job(short(), features=RAW)


async def failed_credentials(callers: Callers) -> Refusal:
    async with Client(callers.address) as client:
        with pytest.raises(ClientError, match="does not know who calls"):
            await lists(client)
        return await refused(lists(client))


async def health_watches(callers: Callers) -> Refusal:
    channel = await callers.held.enter_async_context(grpc.aio.insecure_channel(callers.address))
    stub: Any = health_pb2_grpc.HealthStub(channel)
    for _ in range(HEALTH_WATCHES):
        assert (await stub.Watch(health_pb2.HealthCheckRequest()).read()).status
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.Watch(health_pb2.HealthCheckRequest()).read()
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status
    return refusal_of(error.value)


async def key_requests(callers: Callers) -> Refusal:
    client = await callers.client()
    await lists(client)
    return await refused(lists(client))


async def tenant_requests(callers: Callers) -> Refusal:
    for _ in range(2):
        await lists(await callers.client())
    return await refused(lists(await callers.client()))


async def key_streams(callers: Callers) -> Refusal:
    client = await callers.client()
    return await refused(watches(client, await callers.hold_watch(client)))


async def tenant_streams(callers: Callers) -> Refusal:
    watched = [await callers.hold_watch(await callers.client()) for _ in range(2)]
    return await refused(watches(await callers.client(), watched[0]))


async def key_uploads(callers: Callers) -> Refusal:
    client = await callers.client()
    await callers.hold_upload(client)
    return await refused(creates(client))


async def tenant_uploads(callers: Callers) -> Refusal:
    for _ in range(2):
        await callers.hold_upload(await callers.client())
    return await refused(creates(await callers.client()))


async def gateway_uploads(callers: Callers) -> Refusal:
    await callers.hold_upload(await callers.client("other"))
    return await refused(creates(await callers.client()))


async def unfinished_uploads(callers: Callers) -> Refusal:
    uploads = (await callers.client()).uploads
    wanted = job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT])
    await uploads.begin(wanted)
    return await refused(uploads.begin(wanted))


async def tenant_jobs(callers: Callers) -> Refusal:
    client = await callers.client()
    await creates(client)
    return await refused(creates(client))


async def mesh_jobs(callers: Callers) -> Refusal:
    await creates(await callers.client("other"))
    return await refused(creates(await callers.client()))


async def tenant_sessions(callers: Callers) -> Refusal:
    await callers.hold_session()
    return await refused_session(callers)


async def gateway_sessions(callers: Callers) -> Refusal:
    await callers.hold_session("other")
    return await refused_session(callers)


async def audio_hours(callers: Callers) -> Refusal:
    return await refused(creates(await callers.client()))


@dataclass(kw_only=True, frozen=True)
class Way:
    """How a limit is reached.

    Attributes:
        limit: The limit.
        reach: Reaches it; gives the refusal.
        own: The limits of the tenant that reaches it.
        options: Settings of the gateway besides.
    """

    limit: Limit
    reach: Callable[[Callers], Awaitable[Refusal]]
    own: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


REQUESTS = {"requests_per_second": SLOW, "requests_burst": 2}
NO_HOURS = {"audio_hours_per_day": 0}
WAYS = {
    "failed credentials": Way(
        limit=Limit.ADDRESS_FAILED_CREDENTIALS,
        reach=failed_credentials,
        options={"limits": LimitSettings(failed_credentials_per_minute=1)},
    ),
    "watches of health": Way(limit=Limit.ADDRESS_HEALTH_WATCHES, reach=health_watches),
    "calls of a key": Way(limit=Limit.KEY_REQUESTS, reach=key_requests, own=REQUESTS),
    "calls of a tenant": Way(limit=Limit.TENANT_REQUESTS, reach=tenant_requests, own=REQUESTS),
    "streams of a key": Way(limit=Limit.KEY_STREAMS, reach=key_streams, own={"streams": 2}),
    "streams of a tenant": Way(
        limit=Limit.TENANT_STREAMS, reach=tenant_streams, own={"streams": 2}
    ),
    "watches of a key": Way(limit=Limit.KEY_WATCHES, reach=key_streams, own={"watches": 2}),
    "watches of a tenant": Way(
        limit=Limit.TENANT_WATCHES, reach=tenant_streams, own={"watches": 2}
    ),
    "uploads of a key": Way(limit=Limit.KEY_UPLOADS, reach=key_uploads, own={"uploads": 2}),
    "uploads of a tenant": Way(
        limit=Limit.TENANT_UPLOADS, reach=tenant_uploads, own={"uploads": 2}
    ),
    "uploads of all": Way(
        limit=Limit.GATEWAY_UPLOADS, reach=gateway_uploads, options={"max_uploads": 1}
    ),
    "unfinished uploads of a tenant": Way(
        limit=Limit.TENANT_UNFINISHED_UPLOADS,
        reach=unfinished_uploads,
        options={"max_unfinished_uploads_per_tenant": 1},
    ),
    "jobs of a tenant": Way(limit=Limit.TENANT_JOBS, reach=tenant_jobs, own={"active_jobs": 1}),
    "jobs of all": Way(limit=Limit.MESH_JOBS, reach=mesh_jobs, options={"max_active_jobs": 1}),
    "sessions of a tenant": Way(
        limit=Limit.TENANT_SESSIONS, reach=tenant_sessions, own={"live_sessions": 1}
    ),
    "sessions of all": Way(
        limit=Limit.GATEWAY_SESSIONS,
        reach=gateway_sessions,
        options={"live": LiveSettings(max_sessions=1, linger_seconds=0)},
    ),
    "hours of recordings": Way(limit=Limit.TENANT_AUDIO_HOURS, reach=audio_hours, own=NO_HOURS),
    "hours of live audio": Way(limit=Limit.TENANT_AUDIO_HOURS, reach=refused_session, own=NO_HOURS),
}


@pytest.mark.unit
def test_there_is_a_way_to_reach_each_limit() -> None:
    assert {way.limit for way in WAYS.values()} == set(Limit)


@pytest.mark.parametrize("name", WAYS)
async def test_a_limit_refuses_by_its_name(guarded: Guarded, name: str) -> None:
    way, port = WAYS[name], free_port()
    mesh = guarded.mesh
    mesh.mesh = mesh.mesh.model_copy(update={"metrics_listen": f"127.0.0.1:{port}"})
    mesh.gateway_options["live"] = LiveSettings(linger_seconds=0)
    mesh.gateway_options["limits"] = LimitSettings(tenants={"acme": TenantLimits(**way.own)})
    mesh.gateway_options |= way.options
    async with mesh.gateway() as address, AsyncExitStack() as held:
        refusal = await way.reach(Callers(guarded=guarded, address=address, held=held))
        assert refusal.status == grpc.StatusCode.RESOURCE_EXHAUSTED.name
        assert refusal.limit == way.limit
        assert refusal.retry > timedelta()
        assert way.limit in refusal.message
        assert await counted(port) == {limit: int(limit == way.limit) for limit in Limit}


async def counted(port: int) -> dict[str, int]:
    """How many calls a gateway refused, by limit."""
    found = samples(await page(port), "maie_limit_refusals_total", "limit")
    return {limit: count for (limit,), count in found.items()}
