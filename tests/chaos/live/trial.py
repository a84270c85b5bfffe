"""One trial: sessions speak, something breaks, and every final is accounted for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from maie_cli.mesh.errors import MeshError
from maie_client import ClientError
from tests.chaos.live.check import check
from tests.chaos.live.fault import LiveFault
from tests.chaos.live.outcome import LiveOutcome
from tests.chaos.live.talks import Talk, scripts
from tests.chaos.live.world import LiveWorld
from tests.chaos.world import now

PACE = 2.0
# A session that has not ended by then does not go on.
STUCK_SECONDS = 180.0


async def run_live_trial(
    world: LiveWorld, fault: LiveFault, outcome: LiveOutcome, pace: float = PACE
) -> None:
    """Runs one trial and adds what came of it."""
    said = scripts(world, fault.sessions, pace, fault.rounds)
    talks = [Talk(world, script, apart=fault.apart) for script in said]
    speaking = [asyncio.create_task(talk.run()) for talk in talks]
    await asyncio.sleep(
        world.chance.uniform(0.3, max(script.seconds for script in said) / fault.rounds)
    )
    wrong = await _happen(world, fault, talks)
    if wrong is not None:
        outcome.blame("broken", "-", wrong)
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
        await check(world, talk, fault.cuts, outcome)
    if (recovery := _recovery(talks, mended)) is not None:
        outcome.recovery.append(recovery)


async def _begun(talks: Sequence[Talk], speaking: Sequence[asyncio.Task[None]]) -> None:
    """Waits until each client has its session, or none."""
    while any(not talk.journal.session_id for talk in talks) and not all(
        task.done() for task in speaking
    ):
        await asyncio.sleep(0.1)


async def _happen(world: LiveWorld, fault: LiveFault, talks: Sequence[Talk]) -> str | None:
    try:
        async with asyncio.timeout(STUCK_SECONDS):
            return await fault.happen(world, talks)
    except TimeoutError:
        return "the fault was not over in time"
    except ClientError as error:
        return f"a call failed with {error.code.name} {error.reason}: {error.message}"


def _recovery(talks: Sequence[Talk], mended: float) -> float | None:
    """How long a session waited at most for its next final; None where all had ended."""
    waits = [
        min(after) - mended
        for talk in talks
        if (after := [each.at for each in talk.journal.finals if each.at > mended])
    ]
    return max(waits, default=None)
