"""Faults that come with a recording, and clocks that jump while it is in work."""

from __future__ import annotations

import asyncio

from maie.job.v1 import job_pb2 as job
from tests.chaos.clocks import Clocks, no_clocks
from tests.chaos.fault import Fault
from tests.chaos.service import FLAKY, POISON, SLOW
from tests.chaos.world import Setup, World

HOUR_SECONDS = 3600
CLOCK_WRONG_SECONDS = (2.0, 5.0)
# Seven deaths of two workers, which wait for up to half a minute before they start once more.
POISON_SECONDS = 160.0


async def _poison(world: World) -> str | None:
    job_id = await world.submit(POISON, expected=job.JOB_STATE_FAILED)
    if job_id is None or await world.end_of(job_id, POISON_SECONDS) is None:
        return "a poisoned job was not accepted or did not end"
    letters = [letter async for letter in world.client.list_dead_letters(job_id=job_id)]
    return None if letters else f"no dead letter was kept of job {job_id}"


async def _slow(world: World) -> None:
    await world.submit(SLOW)


def _clock_jumps(part: str, seconds: int) -> Fault:
    async def happen(world: World) -> None:
        assert isinstance(world.clocks, Clocks)
        await world.submit(FLAKY)
        world.clocks.set(part, seconds)
        for _ in range(3):
            await world.submit(FLAKY)
            await asyncio.sleep(world.chance.uniform(*CLOCK_WRONG_SECONDS) / 3)
        world.clocks.set(part, 0)

    direction = "forward" if seconds > 0 else "back"
    return Fault(
        name=f"{part}'s clock an hour {direction}",
        happen=happen,
        setup=Setup(clocks=True),
        missing=no_clocks,
    )


RECORDING_FAULTS = (
    Fault(name="poison recording", happen=_poison),
    Fault(name="unit longer than ack_wait", happen=_slow),
    *(
        _clock_jumps(part, seconds)
        for part in ("gateway", "asr")
        for seconds in (HOUR_SECONDS, -HOUR_SECONDS)
    ),
)
