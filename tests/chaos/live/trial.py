"""One trial: sessions speak, something breaks, and every final is accounted for."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from maie_cli.mesh.errors import MeshError
from maie_client import ClientError
from tests.chaos.live.check import check
from tests.chaos.live.fault import STUCK_SECONDS, Break, LiveFault
from tests.chaos.live.outcome import LiveOutcome
from tests.chaos.live.receiver import receiving
from tests.chaos.live.talks import Talk, script
from tests.chaos.live.world import LiveWorld
from tests.chaos.world import now

PACE = 2.0


async def run_live_trial(
    world: LiveWorld, fault: LiveFault, outcome: LiveOutcome, pace: float = PACE
) -> None:
    """Runs one trial and adds what came of it."""
    async with AsyncExitStack() as stack:
        if fault.receiver:
            folder = Path(tempfile.mkdtemp(prefix="receiver-", dir=world.folder.parent))
            world.receiver = await stack.enter_async_context(receiving(folder))
        await _run(world, fault, outcome, pace)


async def _run(world: LiveWorld, fault: LiveFault, outcome: LiveOutcome, pace: float) -> None:
    over = asyncio.Event()
    receiver = world.receiver.url if fault.receiver and world.receiver else ""
    said = [
        script(
            world,
            fault.tracks,
            sound=world.chance.choice(fault.sounds),
            pace=pace,
            goes_on=lambda: fault.lasts and not over.is_set(),
            receiver=receiver,
            refined=fault.refined,
            summarised=fault.summarised,
        )
        for _ in range(fault.sessions)
    ]
    talks = [Talk(world, each, apart=fault.apart) for each in said]
    speaking = [asyncio.create_task(talk.run()) for talk in talks]
    await asyncio.sleep(world.chance.uniform(0.3, max(each.seconds for each in said)))
    await _take_step(fault.happen, world, fault, talks, outcome)
    over.set()
    mended = now()
    await asyncio.wait(speaking, timeout=STUCK_SECONDS)
    for talk, task in zip(talks, speaking, strict=True):
        await talk.stop()
        task.cancel()
    ended = await asyncio.gather(*speaking, return_exceptions=True)
    for each in ended:
        if isinstance(each, Exception):
            outcome.blame("broken", "-", f"a client failed: {each!r}")
    outcome.trials += 1
    try:
        await world.well()
    except MeshError as error:
        outcome.blame("broken", "-", str(error))
    for talk in talks:
        await check(world, talk, fault, outcome)
    await _take_step(fault.afterwards, world, fault, talks, outcome)
    if (recovery := _recovery(talks, mended)) is not None:
        outcome.recovery.append(recovery)


async def _take_step(
    step: Break, world: LiveWorld, fault: LiveFault, talks: Sequence[Talk], outcome: LiveOutcome
) -> None:
    """Takes a step of a fault, and blames it for what was wrong."""
    try:
        async with asyncio.timeout(fault.longest):
            wrong = await step(world, talks)
    except TimeoutError:
        wrong = "the fault was not over in time"
    except ClientError as error:
        wrong = f"a call failed with {error.code.name} {error.reason}: {error.message}"
    if wrong is not None:
        outcome.blame("broken", "-", wrong)


def _recovery(talks: Sequence[Talk], mended: float) -> float | None:
    """How long a session waited at most for its next final; None where all had ended."""
    waits = [
        min(after) - mended
        for talk in talks
        if (after := [each.at for each in talk.journal.finals if each.at > mended])
    ]
    return max(waits, default=None)
