"""Faults of a whole host, under jobs that are submitted all the time to the gateways of all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from maie_client import Client, ClientError
from tests.chaos.cluster.faults import ELECTION_SECONDS
from tests.chaos.cluster.mesh import until_current
from tests.chaos.cluster.network import SERVERS, no_networks
from tests.chaos.fault import Fault
from tests.chaos.hosts.mesh import HostsMesh
from tests.chaos.submits import RETRY_SECONDS, submitting
from tests.chaos.world import STUCK_SECONDS, World, now

# As long as a machine starts; and so long that a client's pings find a lost gateway, or shorter.
AWAY_SECONDS = (5.0, 25.0)


async def _missing(mesh: HostsMesh, wanted: set[str]) -> str | None:
    """Says which gateway does not list all jobs, once each had time to read what it missed."""
    for host in SERVERS:
        async with mesh.client(host) as client:
            deadline = now() + STUCK_SECONDS
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
        mesh = world.mesh
        assert isinstance(mesh, HostsMesh)
        host = world.chance.choice(SERVERS)
        async with submitting(world, may_break=True) as submits:
            if wrong := await lose(world, mesh, host):
                submits.wrong.append(wrong)
            await asyncio.sleep(ELECTION_SECONDS)
        await until_current(mesh)
        return submits.first_wrong or await _missing(mesh, set(submits.made.values()))

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
