"""Faults of submits and removals: sent many times, or to gateways that die over them."""

from __future__ import annotations

import asyncio

from maie_client import ClientError
from tests.chaos.fault import Fault
from tests.chaos.processes import dying_at
from tests.chaos.world import World

DUPLICATES = 100
SUBMITS = 6
REMOVALS = 6
RETRY_SECONDS = 0.2


async def _duplicates(world: World) -> str | None:
    """The same submit, many times at once."""
    request_id = f"duplicate-{world.chance.random()}"
    submits = (world.submit(request_id=request_id) for _ in range(DUPLICATES))
    ids = set(await asyncio.gather(*submits)) - {None}
    return f"one request id gave {len(ids)} jobs" if len(ids) != 1 else None


async def _persistent_submits(world: World) -> str | None:
    """Submits that are sent until one is accepted, each under its request id, and once more."""
    requests = [f"monday-{world.chance.random()}" for _ in range(SUBMITS)]
    made = await asyncio.gather(*(_submit_until_accepted(world, one) for one in requests))
    again = await asyncio.gather(*(_submit_until_accepted(world, one) for one in requests))
    if made == again and len(set(made)) == SUBMITS:
        return None
    return f"{SUBMITS} request ids gave the jobs {made}, and later {again}"


async def _submit_until_accepted(world: World, request_id: str) -> str:
    while (job_id := await world.submit(request_id=request_id)) is None:
        await asyncio.sleep(RETRY_SECONDS)
    return job_id


async def _removals(world: World) -> str | None:
    """Finished jobs are removed, again and again until the gateway says that they are gone."""
    made = [await _submit_until_accepted(world, f"gone-{number}") for number in range(REMOVALS)]
    for job_id in made:
        if (ended := await world.end_of(job_id)) is None:
            return "a job to remove did not end"
        world.units_removed += sum(stage.units for stage in ended.metrics.stages)
    for job_id in made:
        await _remove_until_gone(world, job_id)
        del world.accepted[job_id]
    left = {shown.job_id async for shown in world.client.list_jobs()} & set(made)
    stored = [key for key in await world.stored() if set(key.split("/")) & set(made)]
    return f"of removed jobs there still is {left or stored}" if left or stored else None


async def _remove_until_gone(world: World, job_id: str) -> None:
    while True:
        try:
            await world.client.delete_job(job_id)
        except ClientError as error:
            if error.reason == "JOB_NOT_FOUND":
                return
        await asyncio.sleep(RETRY_SECONDS)


REQUEST_FAULTS = (
    Fault(name="100 duplicate submits", happen=_duplicates),
    *(
        Fault(
            name=f"kill -9 at submission.{point}",
            happen=_persistent_submits,
            setup=dying_at(f"submission.{point}", 3),
        )
        for point in ("after_bind", "after_upload", "after_begin")
    ),
    *(
        Fault(
            name=f"kill -9 at removal.{point}",
            happen=_removals,
            setup=dying_at(f"removal.{point}", 2),
        )
        for point in ("after_traces", "after_record")
    ),
)
