"""What can go wrong, one function each: it breaks something and mends it again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from maie.job.v1 import job_pb2 as job
from tests.chaos.service import POISON, SLOW
from tests.chaos.world import World

Break = Callable[[World], Awaitable[None]]
FREEZE_SECONDS = (1.0, 4.0)
STORE_AWAY_SECONDS = 1.5
PARTS = ("preprocess", "asr", "asr-2", "enhancement", "summary", "gateway", "nats")


@dataclass(kw_only=True, frozen=True, slots=True)
class Fault:
    """One way to break a mesh.

    Attributes:
        name: What is broken and how.
        happen: Breaks it at the instant of the call, and mends it.
    """

    name: str
    happen: Break


def killed(part: str) -> Fault:
    """SIGKILL; the supervisor starts the part again."""

    async def happen(world: World) -> None:
        world.send(part, signal.SIGKILL)

    return Fault(name=f"kill -9 {part}", happen=happen)


def frozen(part: str) -> Fault:
    """SIGSTOP for longer than the ack_wait, or for less, and SIGCONT."""

    async def happen(world: World) -> None:
        world.send(part, signal.SIGSTOP)
        await asyncio.sleep(world.chance.uniform(*FREEZE_SECONDS))
        world.send(part, signal.SIGCONT)

    return Fault(name=f"freeze {part}", happen=happen)


def stopped(part: str) -> Fault:
    """SIGTERM in mid-job: the part drains; the supervisor starts it again."""

    async def happen(world: World) -> None:
        world.send(part, signal.SIGTERM)

    return Fault(name=f"SIGTERM {part}", happen=happen)


async def _store_away(world: World) -> None:
    blobs = world.mesh.layout.blobs
    aside = blobs.with_name("blobs-aside")
    blobs.rename(aside)
    blobs.write_bytes(b"")  # a file where the folder was: every access fails
    await asyncio.sleep(STORE_AWAY_SECONDS)
    blobs.unlink()
    aside.rename(blobs)


async def _poison(world: World) -> None:
    await world.submit(POISON, expected=job.JOB_STATE_FAILED)


async def _slow(world: World) -> None:
    await world.submit(SLOW)


async def _slow_watchers(world: World) -> None:
    """Watchers that never read, and one whose connection is cut."""
    for job_id in list(world.accepted)[:20]:
        watching = world.client.watch_job(job_id)
        await anext(watching)
        await watching.aclose()


FAULTS: tuple[Fault, ...] = (
    *(killed(part) for part in PARTS),
    *(frozen(part) for part in PARTS),
    *(stopped(part) for part in ("asr", "enhancement", "gateway")),
    Fault(name="object store away", happen=_store_away),
    Fault(name="poison recording", happen=_poison),
    Fault(name="unit longer than ack_wait", happen=_slow),
    Fault(name="watchers that leave", happen=_slow_watchers),
)
