"""Faults of processes: killed, frozen, stopped, and killed at a point in the code."""

from __future__ import annotations

import asyncio
import signal

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
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


async def _quality_away(world: World) -> str | None:
    """SIGSTOP of quality until a job that did not ask for it is complete without it."""
    while not await _serves_quality(world):
        await asyncio.sleep(0.05)
    world.send("quality", signal.SIGSTOP)
    try:
        # A job with a request id does not ask.
        job_id = await world.must_submit(request_id=f"patient-{world.chance.random()}")
        ended = await world.end_of(job_id)
    finally:
        world.send("quality", signal.SIGCONT)
    if ended is None or ended.state != job.JOB_STATE_COMPLETE:
        return f"job {job_id} waits for quality, which it did not ask for"
    if not any(each.reason == "QUALITY_MISSING" for each in ended.results.warnings):
        return f"job {job_id} says not that it lacks the report of its sound"
    return None


async def _serves_quality(world: World) -> bool:
    """Whether the gateway knows of the worker, which reports a moment after its start."""
    stages = (await world.client.get_mesh()).stages
    return any(each.workers for each in stages if each.stage == common.STAGE_QUALITY)


QUALITY_AWAY = Fault(
    name="freeze quality past the grace",
    happen=_quality_away,
    setup=Setup(environment={"MAIE_GATEWAY_OPTIONAL_GRACE_SECONDS": "1"}),
)


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
    QUALITY_AWAY,
    *(killed_at(point, passage) for point, passage in POINTS.items()),
)
