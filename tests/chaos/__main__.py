"""`make chaos`: every fault, many trials each; exits non-zero when anything was lost."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import statistics
import tempfile
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from tests.chaos.cluster.faults import CLUSTER_FAULTS, CLUSTER_SHORT
from tests.chaos.cluster.network import SERVERS
from tests.chaos.fault import Fault
from tests.chaos.faults import FAULTS, SHORT
from tests.chaos.hosts.faults import HOST_FAULTS, HOST_SHORT
from tests.chaos.live.fault import LiveFault
from tests.chaos.live.faults import LIVE_FAULTS, LIVE_SHORT
from tests.chaos.live.outcome import LiveOutcome
from tests.chaos.live.report import live_table
from tests.chaos.live.run import run_live
from tests.chaos.trial import Outcome, run_trial
from tests.chaos.world import ROOT, Setup, Store, World, world

SERVERS_OF_BROKER = (1, 3)
ONE_HOST = 1
# The disk of the broker is then that of all three servers.
OF_CLUSTER = (*CLUSTER_FAULTS, *FAULTS)
# Of the time, where jobs and live sessions are both tried.
LIVE_SHARE = 0.4
console = Console(stderr=True, highlight=False)


def main(
    trials: Annotated[int, typer.Option(help="Trials of each fault.")] = 5,
    fault: Annotated[
        list[str] | None, typer.Option(help="Only faults with this in the name.")
    ] = None,
    store: Annotated[
        Store, typer.Option(help="Where the objects of jobs are: a folder, or a bucket of S3.")
    ] = Store.FILE,
    short: Annotated[bool, typer.Option(help="Only one fault of each kind.")] = False,
    minutes: Annotated[float, typer.Option(help="No trial begins after this.")] = 25.0,
    broker: Annotated[
        int, typer.Option(min=1, max=3, help="How many servers NATS has: 1 or 3.")
    ] = 1,
    hosts: Annotated[
        int, typer.Option(min=1, max=3, help="How many hosts the mesh is on: 1, or 3 to lose one.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="Repeats a run's chance.")] = 0,
    report: Annotated[Path, typer.Option(help="Where report.json and report.svg go.")] = (
        ROOT / ".cache" / "chaos"
    ),
) -> None:
    """Break a mesh at random instants and count what came of every job and every live session."""
    words = fault or [""]
    if broker not in SERVERS_OF_BROKER:
        raise typer.BadParameter("A broker has 1 server or 3.", param_hint="--broker")
    if hosts == ONE_HOST:
        faults, few = (FAULTS, SHORT) if broker == 1 else (OF_CLUSTER, CLUSTER_SHORT)
    elif hosts == len(SERVERS) and store is Store.FILE:
        faults, few, broker = HOST_FAULTS, HOST_SHORT, len(SERVERS)
    else:
        raise typer.BadParameter("A mesh has 1 host, or 3 and a folder.", param_hint="--hosts")
    chosen = [
        one
        for one in faults
        if one.store in (None, store) and _is_chosen(one.name, words, few if short else None)
    ]
    spoken = [
        one
        for one in (LIVE_FAULTS if hosts == ONE_HOST else ())
        if _is_chosen(one.name, words, LIVE_SHORT if short else None)
    ]
    seed = seed or random.SystemRandom().randrange(1, 2**31)
    # As Ctrl-C does: no mesh and no mounted disk is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    base = Setup(store=store, servers=broker, hosts=hosts > ONE_HOST)
    outcomes, live = asyncio.run(_run_all(chosen, spoken, trials, minutes * 60, seed, base))
    _write(report, outcomes, live, seed)
    results: list[Outcome | LiveOutcome] = [*outcomes.values(), *live.values()]
    raise typer.Exit(0 if all(outcome.well for outcome in results) else 1)


def _is_chosen(name: str, words: list[str], short: frozenset[str] | None) -> bool:
    return any(word in name for word in words) and (short is None or name in short)


async def _run_all(
    faults: list[Fault],
    spoken: list[LiveFault],
    trials: int,
    seconds: float,
    seed: int,
    base: Setup,
) -> tuple[dict[str, Outcome], dict[str, LiveOutcome]]:
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    outcomes: dict[str, Outcome] = {}
    live: dict[str, LiveOutcome] = {}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-", dir=cache) as folder:
        # First, since the jobs' trials take all the time that there is.
        if spoken:
            share = seconds * LIVE_SHARE if faults else seconds
            live = await run_live(spoken, trials, share, seed, Path(folder), base.servers)
        if faults:
            left = seconds - (time.monotonic() - begun)
            outcomes = await _run(faults, trials, left, seed, Path(folder), base)
    return outcomes, live


async def _run(
    faults: list[Fault], trials: int, seconds: float, seed: int, folder: Path, base: Setup
) -> dict[str, Outcome]:
    outcomes = {fault.name: Outcome() for fault in faults}
    deadline = time.monotonic() + seconds
    for fault in faults:
        if why := fault.missing():
            outcomes[fault.name].not_run = why
            console.print(f"{fault.name}: NOT RUN: {why}")
    if all(outcome.not_run for outcome in outcomes.values()):
        return outcomes
    async with world(folder / "data", seed, base) as running:
        # Round by round, so that a run which is cut short has tried every fault.
        for number, fault in product(range(trials), faults):
            if time.monotonic() > deadline:
                console.print(f"time is up in round {number + 1}")
                break
            await _try(running, folder, seed + number, fault, outcomes[fault.name], base)
    for outcome in outcomes.values():
        if not outcome.trials and outcome.not_run is None:
            outcome.not_run = "time was up before its first trial"
    return outcomes


async def _try(
    shared: World, folder: Path, seed: int, fault: Fault, outcome: Outcome, base: Setup
) -> None:
    if outcome.not_run is None and fault.setup:
        setup = replace(fault.setup, store=base.store, servers=base.servers)
        await _trial_of_its_own(folder, seed, fault, setup, outcome)
    elif outcome.not_run is None:
        await _trial(shared, fault, outcome)


async def _trial_of_its_own(
    folder: Path, seed: int, fault: Fault, setup: Setup, outcome: Outcome
) -> None:
    data = Path(tempfile.mkdtemp(dir=folder))
    mark = data.with_name(f"{data.name}.mark")
    environment = {**setup.environment, "MAIE_FAULT_MARK": str(mark)}
    own = replace(setup, environment=environment)
    async with world(data, seed, own) as running:
        await _trial(running, fault, outcome)
    if "MAIE_FAULT" in setup.environment and not mark.exists():
        outcome.blame("broken", "-", "no process came by the point where it was to die")


async def _trial(running: World, fault: Fault, outcome: Outcome) -> None:
    await run_trial(running, fault, outcome)
    console.print(f"{fault.name}: {'well' if outcome.well else outcome.wrong[-1]}")


def _write(
    folder: Path, outcomes: dict[str, Outcome], live: dict[str, LiveOutcome], seed: int
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    printed = Console(record=True, width=160)
    if outcomes:
        printed.print(_table(outcomes, seed))
    if live:
        printed.print(live_table(live, seed))
    together: dict[str, Outcome | LiveOutcome] = {**outcomes, **live}
    for name, outcome in together.items():
        if outcome.not_run:
            printed.print(f"NOT RUN: {name}: {outcome.not_run}", style="yellow")
        for line in outcome.wrong:
            printed.print(line, style="red")
    printed.save_svg(str(folder / "report.svg"), title="make chaos")
    shown = {name: vars(outcome) for name, outcome in together.items()}
    (folder / "report.json").write_text(json.dumps({"seed": seed, "faults": shown}, indent=2))


def _table(outcomes: dict[str, Outcome], seed: int) -> Table:
    table = Table(
        "fault", "trials", "accepted", "lost", "doubled", "stuck", "gaps", "broken", "run again",
        "recovery p50", "p99", box=box.SIMPLE_HEAD, title=f"chaos, seed {seed}",
    )  # fmt: skip
    stalls = any(outcome.stalls for outcome in outcomes.values())
    for heading in ("longest submit p50", "p99") if stalls else ():
        table.add_column(heading)
    for name, outcome in outcomes.items():
        if outcome.not_run:
            table.add_row(name, "not run", style="yellow")
        elif outcome.trials:
            table.add_row(name, *_cells(outcome), style="" if outcome.well else "bold red")
    return table


def _cells(outcome: Outcome) -> list[str]:
    counts = (
        outcome.trials, outcome.accepted, outcome.lost, outcome.doubled, outcome.stuck,
        outcome.gaps, outcome.broken, outcome.again,
    )  # fmt: skip
    times = (*_percentiles(outcome.recovery), *_percentiles(outcome.stalls))
    return [*map(str, counts), *(f"{seconds:.1f} s" for seconds in times)]


def _percentiles(seconds: list[float]) -> tuple[float, ...]:
    """The p50 and the p99; nothing of none."""
    if not seconds:
        return ()
    last = len(seconds) - 1
    return statistics.median(seconds), sorted(seconds)[min(last, int(len(seconds) * 0.99))]


if __name__ == "__main__":
    typer.run(main)
