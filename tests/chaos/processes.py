"""Faults of processes: killed, frozen, stopped, and killed at a point in the code."""

from __future__ import annotations

import asyncio
import signal

from tests.chaos.fault import Fault
from tests.chaos.world import Setup, World

# Shorter than the ack_wait and longer.
FREEZE_SECONDS = (1.0, 4.0)
PARTS = (
    "preprocess",
    "asr",
    "asr-2",
    "diarization",
    "quality",
    "alignment",
    "enhancement",
    "summary",
    "gateway",
    "nats",
)
# Between storing a result, publishing and acknowledging it; and a record and its tasks.
POINTS = {
    "worker.after_commit": 4,
    "worker.after_publish": 4,
    "worker.after_ack": 4,
    "conductor.after_store": 9,
    "conductor.after_publish": 9,
}


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


def dying_at(point: str, passage: int) -> Setup:
    """A mesh in which a process kills itself, once, at the Nth time that it comes by a point."""
    return Setup(environment={"MAIE_FAULT": f"{point}:kill@{passage}"})


def killed_at(point: str, passage: int) -> Fault:
    """SIGKILL at a point that every job comes by."""

    async def happen(_: World) -> None:
        return

    return Fault(name=f"kill -9 at {point}", happen=happen, setup=dying_at(point, passage))


PROCESS_FAULTS = (
    *(killed(part) for part in PARTS),
    *(frozen(part) for part in PARTS),
    *(stopped(part) for part in PARTS),
    *(killed_at(point, passage) for point, passage in POINTS.items()),
)
