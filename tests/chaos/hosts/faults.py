"""Faults of a whole host, under jobs that are submitted all the time to the gateways of all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from maie_client import Client, ClientError
from maie_runtime.background import end
from tests.chaos.cluster.faults import ELECTION_SECONDS, SUBMIT_EVERY_SECONDS
from tests.chaos.cluster.mesh import until_current
from tests.chaos.cluster.network import SERVERS, no_networks
from tests.chaos.fault import Fault
from tests.chaos.hosts.mesh import HostsMesh
from tests.chaos.world import STUCK_SECONDS, World, now

# As long as a machine starts; and so long that a client's pings find a lost gateway, or shorter.
AWAY_SECONDS = (5.0, 25.0)
RETRY_SECONDS = 0.2
# A gateway that was away reads what happened meanwhile.
CATCH_UP_SECONDS = 30.0


@dataclass(kw_only=True)
class Submits:
    """What became of submits.

    Attributes:
        made: The job of each request id.
        wrong: What was wrong, in words.
        waits: How long each took until it had its job's id, in seconds.
    """

    made: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


async def _submit(world: World, request_id: str, submits: Submits) -> None:
    """Submits a job, again where the connection breaks, and follows its events to the end."""
    begun = now()
    while True:
        try:
            job_id = await world.must_submit(request_id=request_id)
        except ClientError as error:
            if not error.is_break or now() - begun > STUCK_SECONDS:
                refusal = f"{error.code.name} {error.reason}: {error.message}"
                submits.wrong.append(f"a submit got {refusal}")
                return
            world.repeated += 1
            await asyncio.sleep(RETRY_SECONDS)
        else:
            break
    submits.waits.append(now() - begun)
    submits.made[request_id] = job_id
    await _follow(world, job_id, submits)


async def _follow(world: World, job_id: str, submits: Submits) -> None:
    seen: list[int] = []
    try:
        async with asyncio.timeout(STUCK_SECONDS):
            async for event in world.client.watch_job(job_id):
                seen += [event.sequence] if event.sequence else []
    except TimeoutError:
        submits.wrong.append(f"job {job_id} did not end while it was watched")
    except ClientError as error:
        submits.wrong.append(f"a watch of {job_id} got {error.reason}: {error.message}")
    if seen != list(range(1, len(seen) + 1)):
        submits.wrong.append(f"a watch of {job_id} got the events {seen}")


@asynccontextmanager
async def _submitting(world: World, submits: Submits) -> AsyncIterator[None]:
    """Submits a job every half second to the gateways in turn, and follows each."""
    running: list[asyncio.Task[None]] = []

    async def go_on() -> None:
        while True:
            request_id = f"host-{world.chance.random()}"
            running.append(asyncio.create_task(_submit(world, request_id, submits)))
            await asyncio.sleep(SUBMIT_EVERY_SECONDS)

    going_on = asyncio.create_task(go_on())
    try:
        yield
    finally:
        await end(going_on)
        await asyncio.gather(*running)
        world.stalls.append(max(submits.waits, default=0.0))


async def _doubled(world: World, submits: Submits) -> str | None:
    """Sends each submit once more: it must give the same job."""
    for request_id, job_id in submits.made.items():
        if (again := await world.must_submit(request_id=request_id)) != job_id:
            return f"a request id gave the jobs {job_id} and {again}"
    return None


async def _missing(mesh: HostsMesh, wanted: set[str]) -> str | None:
    """Says which gateway does not list all jobs, once each had time to read what it missed."""
    for host in SERVERS:
        async with mesh.client(host) as client:
            deadline = now() + CATCH_UP_SECONDS
            while missing := wanted - await _listed(client):
                if now() > deadline:
                    return f"the gateway of host {host} does not list the jobs {missing}"
                await asyncio.sleep(RETRY_SECONDS)
    return None


async def _listed(client: Client) -> set[str]:
    try:
        return {shown.job_id async for shown in client.list_jobs(page_size=1000)}
    except ClientError:
        return set()


def _of_host(
    name: str,
    lose: Callable[[World, HostsMesh, int], Awaitable[str | None]],
) -> Fault:
    """A fault of one host.

    Args:
        name: What becomes of it.
        lose: Loses it for a while, and has it back; gives what was wrong.
    """

    async def happen(world: World) -> str | None:
        mesh, submits = world.mesh, Submits()
        assert isinstance(mesh, HostsMesh)
        host = world.chance.choice(SERVERS)
        async with _submitting(world, submits):
            if wrong := await lose(world, mesh, host):
                submits.wrong.append(wrong)
            await asyncio.sleep(ELECTION_SECONDS)
        await until_current(mesh)
        for wrong in (
            await _doubled(world, submits),
            await _missing(mesh, set(submits.made.values())),
        ):
            submits.wrong += [wrong] if wrong else []
        return submits.wrong[0] if submits.wrong else None

    return Fault(name=f"host: {name}", happen=happen, missing=no_networks)


async def _kill(world: World, mesh: HostsMesh, host: int) -> None:
    await mesh.kill(host)
    await asyncio.sleep(world.chance.uniform(*AWAY_SECONDS))
    await mesh.start_host(host)


async def _cut_off(world: World, mesh: HostsMesh, host: int) -> str | None:
    before = [child.pid for child in mesh.parts_of(host)]
    assert mesh.networks is not None
    mesh.networks.cut_off(host)
    try:
        await asyncio.sleep(world.chance.uniform(*AWAY_SECONDS))
    finally:
        mesh.networks.heal(host)
    await mesh.wait_ready(host)
    ended = [child.part.name for child in mesh.parts_of(host) if child.pid not in before]
    return f"cut off, these ended: {', '.join(ended)}" if ended else None


HOST_FAULTS = (
    _of_host("kill -9 of all its parts", _kill),
    _of_host("cut off", _cut_off),
)
HOST_SHORT = frozenset({"host: kill -9 of all its parts"})
