"""What can go wrong, one function each: it breaks something and mends it again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from maie.job.v1 import job_pb2 as job
from maie_client import ClientError
from tests.chaos.service import POISON, SLOW
from tests.chaos.world import World

Break = Callable[[World], Awaitable[str | None]]
FREEZE_SECONDS = (1.0, 4.0)
STORE_AWAY_SECONDS = 1.5
# Between storing a result, publishing and acknowledging it; and a record and its tasks.
POINTS = {
    "worker.after_commit": 4,
    "worker.after_publish": 4,
    "worker.after_ack": 4,
    "conductor.after_store": 9,
    "conductor.after_publish": 9,
}
DUPLICATES = 100
PARTS = ("preprocess", "asr", "asr-2", "enhancement", "summary", "gateway", "nats")


@dataclass(kw_only=True, frozen=True, slots=True)
class Fault:
    """One way to break a mesh.

    Attributes:
        name: What is broken and how.
        happen: Breaks it at the instant of the call, and mends it; gives what was
            wrong, where something was that the jobs' own checks cannot see.
        environment: Settings of a mesh of its own, where it needs one.
    """

    name: str
    happen: Break
    environment: Mapping[str, str] = field(default_factory=dict)


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


async def _duplicates(world: World) -> str | None:
    """The same submit, many times at once."""
    request_id = f"duplicate-{world.chance.random()}"
    submits = (world.submit(request_id=request_id) for _ in range(DUPLICATES))
    ids = set(await asyncio.gather(*submits)) - {None}
    return f"one request id gave {len(ids)} jobs" if len(ids) > 1 else None


async def _flipped_bit(world: World) -> str | None:
    """A stored result changes on the disk: reading it must name it, not show it."""
    job_id = await world.submit()
    if job_id is None or await world.end_of(job_id) is None:
        return "a job to damage did not end"
    (path,) = (world.mesh.layout.blobs / "jobs" / job_id / "enhancement.0000").iterdir()
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    try:
        await world.client.get_job(job_id)
    except ClientError as error:
        named = error.reason == "BLOB_CORRUPT" and path.name in error.message
        return None if named else f"the damage was told as {error.reason}: {error.message}"
    else:
        return "a damaged result was shown as if it were right"
    finally:
        path.write_bytes(content)


def killed_at(point: str, passage: int) -> Fault:
    """SIGKILL at a point in the code, once, at the Nth time that a process comes by."""

    async def happen(_: World) -> None:
        return

    return Fault(
        name=f"kill -9 at {point}",
        happen=happen,
        environment={"MAIE_FAULT": f"{point}:kill@{passage}"},
    )


FAULTS: tuple[Fault, ...] = (
    *(killed(part) for part in PARTS),
    *(frozen(part) for part in PARTS),
    *(stopped(part) for part in ("asr", "enhancement", "gateway")),
    Fault(name="object store away", happen=_store_away),
    Fault(name="poison recording", happen=_poison),
    Fault(name="unit longer than ack_wait", happen=_slow),
    Fault(name="watchers that leave", happen=_slow_watchers),
    Fault(name="100 duplicate submits", happen=_duplicates),
    *(killed_at(point, passage) for point, passage in POINTS.items()),
    Fault(name="flipped bit in a result", happen=_flipped_bit),
)
