"""Submits that come all the time while something is broken, each followed to its job's end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from maie_client import ClientError
from maie_runtime.background import end
from tests.chaos.world import STUCK_SECONDS, World, now

SUBMIT_EVERY_SECONDS = 0.5
RETRY_SECONDS = 0.2


@dataclass(kw_only=True)
class Submits:
    """What became of submits.

    Attributes:
        may_break: Whether connections to gateways may break; a submit is sent again then.
        made: The job of each request id.
        wrong: What was wrong, in words.
        waits: How long each took until it had its job's id, in seconds.
    """

    may_break: bool
    made: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def first_wrong(self) -> str | None:
        """What was wrong first; None where nothing was."""
        return next(iter(self.wrong), None)


@asynccontextmanager
async def submitting(world: World, *, may_break: bool = False) -> AsyncIterator[Submits]:
    """Submits a job every half second, and follows each; the longest wait for an id is a stall.

    Once all jobs that were submitted have ended, each submit is sent again: it must give its job.

    Args:
        world: The mesh.
        may_break: Whether connections to gateways may break.
    """
    submits = Submits(may_break=may_break)
    running: list[asyncio.Task[None]] = []

    async def go_on() -> None:
        while True:
            request_id = f"submit-{world.chance.random()}"
            running.append(asyncio.create_task(_submit(world, request_id, submits)))
            await asyncio.sleep(SUBMIT_EVERY_SECONDS)

    going_on = asyncio.create_task(go_on())
    try:
        yield submits
    finally:
        await end(going_on)
        await asyncio.gather(*running)
        world.stalls.append(max(submits.waits, default=0.0))
    for request_id, job_id in submits.made.items():
        if (again := await world.must_submit(request_id=request_id)) != job_id:
            submits.wrong.append(f"a request id gave the jobs {job_id} and {again}")


async def _submit(world: World, request_id: str, submits: Submits) -> None:
    begun = now()
    while True:
        try:
            job_id = await world.must_submit(request_id=request_id)
        except ClientError as error:
            may_pass = submits.may_break and error.is_break
            if not may_pass or now() - begun > STUCK_SECONDS:
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
    """Watches a job to its end: each event must come once, in order."""
    seen: list[int] = []

    async def watch() -> None:
        async for event in world.client.watch_job(job_id):
            seen.extend([event.sequence] if event.sequence else [])

    try:
        await world.while_it_works(watch())
    except TimeoutError:
        submits.wrong.append(f"job {job_id} did not end while it was watched")
    except ClientError as error:
        submits.wrong.append(f"a watch of {job_id} got {error.reason}: {error.message}")
    if seen != list(range(1, len(seen) + 1)):
        submits.wrong.append(f"a watch of {job_id} got the events {seen}")
