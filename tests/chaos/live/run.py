"""Runs the trials of live sessions, round by round, in one mesh."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from rich.console import Console

from tests.chaos.cluster.mesh import ClusterMesh
from tests.chaos.live.fault import LiveFault
from tests.chaos.live.left import check_what_is_left
from tests.chaos.live.outcome import LiveOutcome
from tests.chaos.live.speech import SCRIPTS, TONE_ENGINE, TONE_SOUNDS, Script, toned_text
from tests.chaos.live.talks import Talk
from tests.chaos.live.trial import PACE, run_live_trial
from tests.chaos.live.world import LiveWorld, live_world, no_model

LEFT = "live: what is left"
console = Console(stderr=True, highlight=False)


async def run_live(
    faults: Sequence[LiveFault],
    trials: int,
    seconds: float,
    seed: int,
    folder: Path,
    servers: int,
) -> dict[str, LiveOutcome]:
    """Runs each fault's trials; gives what came of each, and of what all left behind.

    Args:
        faults: The faults.
        trials: How many trials of each.
        seconds: No trial begins after this.
        seed: Where chance comes from.
        folder: For the files of the meshes.
        servers: How many servers NATS has: 1 or 3.
    """
    outcomes = {fault.name: LiveOutcome(not_run=no_model() or fault.missing()) for fault in faults}
    outcomes[LEFT] = LiveOutcome(not_run=no_model())
    here = [fault for fault in faults if outcomes[fault.name].not_run is None]
    deadline = time.monotonic() + seconds
    if here:
        await _run_here(here, trials, deadline, seed, folder, outcomes, servers)
    for outcome in outcomes.values():
        if not outcome.trials and outcome.not_run is None:
            outcome.not_run = "time was up before its first trial"
    return outcomes


async def _run_here(
    faults: Sequence[LiveFault],
    trials: int,
    deadline: float,
    seed: int,
    folder: Path,
    outcomes: dict[str, LiveOutcome],
    servers: int,
) -> None:
    async with live_world(folder / "live", seed, servers=servers) as shared:
        for sound in sorted({sound for fault in faults for sound in fault.sounds} - TONE_SOUNDS):
            await learn(shared, sound)
        # Round by round, so that a run which is cut short has tried every fault.
        for number, fault in product(range(trials), faults):
            if time.monotonic() > deadline:
                console.print(f"time is up in round {number + 1}")
                break
            if fault.has_own_mesh:
                await _trial_of_its_own(shared, folder, seed + number, fault, outcomes)
            else:
                await _trial(shared, fault, outcomes[fault.name])
        await check_what_is_left(shared, outcomes[LEFT])


async def _trial_of_its_own(
    shared: LiveWorld,
    folder: Path,
    seed: int,
    fault: LiveFault,
    outcomes: dict[str, LiveOutcome],
) -> None:
    data = Path(tempfile.mkdtemp(dir=folder))
    mark = data.with_name(f"{data.name}.mark")
    toned = {
        (sound, number): toned_text(number) for sound in TONE_SOUNDS for number in range(SCRIPTS)
    }
    environment = {**fault.environment, "MAIE_FAULT_MARK": str(mark)}
    async with live_world(
        data,
        seed,
        on_small_disk=fault.on_small_disk,
        engine=TONE_ENGINE if fault.in_tones else (),
        real=fault.real,
        environment=environment,
        servers=3 if isinstance(shared.mesh, ClusterMesh) else 1,
    ) as own:
        own.undisturbed = shared.undisturbed | toned
        await _trial(own, fault, outcomes[fault.name])
        await check_what_is_left(own, outcomes[LEFT])
    if fault.environment and not mark.exists():
        outcomes[fault.name].blame("broken", "-", "no process came by the point")


async def learn(world: LiveWorld, sound: str) -> None:
    """Finds out what each track's text is where nothing is broken."""
    talk = Talk(world, Script(tracks=tuple(range(SCRIPTS)), sound=sound, pace=PACE))
    await talk.run()
    if talk.failure is not None:
        raise RuntimeError(f"An undisturbed session failed: {talk.failure}")
    for number in range(SCRIPTS):
        texts = [each.text for each in talk.journal.finals if each.track == str(number)]
        world.undisturbed[sound, number] = " ".join(texts)


async def _trial(world: LiveWorld, fault: LiveFault, outcome: LiveOutcome) -> None:
    started = time.monotonic()
    before = len(outcome.wrong)
    await run_live_trial(world, fault, outcome)
    took = time.monotonic() - started
    said = "; ".join(outcome.wrong[before:]) or "well"
    console.print(f"{fault.name}: {said} ({took:.0f} s)")
