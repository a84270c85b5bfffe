"""Faults of a broker of three servers, each under jobs that are submitted all the time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable

from maie_cli.mesh.parts import NATS
from maie_runtime.bus import subjects
from tests.chaos.cluster.mesh import ClusterMesh, lead, leading, until_current
from tests.chaos.cluster.network import SERVERS, Networks, no_networks
from tests.chaos.disk import no_small_disk
from tests.chaos.fault import Fault, nothing_missing
from tests.chaos.submits import submitting
from tests.chaos.world import Setup, World

# What a submit writes to; a server leads some of them.
WRITTEN = (subjects.bucket_stream(subjects.JOBS), subjects.NAMES, subjects.TASKS)
FREEZE_SECONDS = (2.0, 12.0)
CUT_SECONDS = (5.0, 15.0)
FULL_SECONDS = (5.0, 15.0)
# An election takes less; those who wait for its end are answered then.
ELECTION_SECONDS = 12.0


def of_leader(
    name: str,
    lose: Callable[[World, str], AsyncIterator[None]],
    missing: Callable[[], str | None] = nothing_missing,
) -> Fault:
    """A fault of the server that leads one of the streams that a submit writes to.

    Args:
        name: What becomes of it.
        lose: Breaks it, and mends it when it is resumed.
        missing: Why that cannot be done on this machine.
    """

    async def happen(world: World) -> str | None:
        mesh = mesh_of(world)
        leader = await leading(mesh, world.chance.choice(WRITTEN))
        async with submitting(world) as submits:
            async for _ in lose(world, leader):
                pass
            await asyncio.sleep(ELECTION_SECONDS)
        await until_current(mesh)
        return submits.first_wrong

    return Fault(name=f"cluster: {name}", happen=happen, missing=missing)


async def _kill(world: World, server: str) -> AsyncIterator[None]:
    world.send(server, signal.SIGKILL)
    yield


async def _stop(world: World, server: str) -> AsyncIterator[None]:
    world.send(server, signal.SIGTERM)
    yield


async def _freeze(world: World, server: str) -> AsyncIterator[None]:
    world.send(server, signal.SIGSTOP)
    try:
        await asyncio.sleep(world.chance.uniform(*FREEZE_SECONDS))
        yield
    finally:
        world.send(server, signal.SIGCONT)


async def _cut_off(world: World, server: str) -> AsyncIterator[None]:
    networks = networks_of(world)
    networks.cut_off(_number(server))
    try:
        await asyncio.sleep(world.chance.uniform(*CUT_SECONDS))
        yield
    finally:
        networks.heal(_number(server))


async def _part(world: World, server: str) -> AsyncIterator[None]:
    networks = networks_of(world)
    networks.part(_number(server))
    try:
        await asyncio.sleep(world.chance.uniform(*CUT_SECONDS))
        yield
    finally:
        networks.heal(_number(server))


async def _disk_full(world: World) -> str | None:
    """The disk of a server is full, which leads one of the streams that a submit writes to."""
    mesh = mesh_of(world)
    assert world.disk is not None
    await lead(mesh, world.chance.choice(WRITTEN), NATS)
    async with submitting(world) as submits:
        await world.disk.fill()
        try:
            await asyncio.sleep(world.chance.uniform(*FULL_SECONDS))
        finally:
            world.disk.free()
        await asyncio.sleep(ELECTION_SECONDS)
    await until_current(mesh)
    return submits.first_wrong


async def _rolling_restart(world: World) -> str | None:
    """SIGTERM to each server, once the one before has all copies again."""
    mesh = mesh_of(world)
    async with submitting(world) as submits:
        for server in SERVERS:
            child = mesh.children[_name(server)]
            before = child.pid
            child.signal(signal.SIGTERM)
            while child.pid in (before, None):
                await asyncio.sleep(0.1)
            await until_current(mesh)
    return submits.first_wrong


def mesh_of(world: World) -> ClusterMesh:
    """The mesh, whose broker is a cluster."""
    assert isinstance(world.mesh, ClusterMesh)
    return world.mesh


def networks_of(world: World) -> Networks:
    """The networks of its servers."""
    networks = mesh_of(world).networks
    assert networks is not None
    return networks


def _name(server: int) -> str:
    return NATS if server == SERVERS[0] else f"{NATS}-{server}"


def _number(name: str) -> int:
    return next(server for server in SERVERS if _name(server) == name)


CLUSTER_FAULTS = (
    of_leader("kill -9 of a leader", _kill),
    of_leader("SIGTERM of a leader", _stop),
    of_leader("freeze of a leader", _freeze),
    of_leader("a leader cut off", _cut_off, no_networks),
    of_leader("a leader in a minority", _part, no_networks),
    Fault(name="cluster: rolling restart", happen=_rolling_restart),
    Fault(
        name="cluster: disk of a leader full",
        happen=_disk_full,
        setup=Setup(disk=f"nats/{NATS}"),
        missing=no_small_disk,
    ),
)
CLUSTER_SHORT = frozenset({"cluster: kill -9 of a leader"})
