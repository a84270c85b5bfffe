"""Half an hour of jobs: does anything grow?

Two local meshes run at the same time. One has empty stages and a steady flow of jobs that are
followed, left, watched again, cancelled, submitted twice, notified to a webhook and deleted; the
other has the real engines and gets a recording now and then. All data is kept for minutes only, so
that the sweeper, JetStream and the clients remove as much as is added. Anything that still grows is
a leak.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from bench.growth import Series
from bench.load import Load, webhook_receiver
from bench.meshes import EMPTY_SERVICE, ROOT, data_folder
from bench.others import Others
from bench.recordings import SAMPLE
from bench.report import machine, note
from bench.sampling import Sampler
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import STAGES, MeshOptions
from maie_client import Client

DAY_SECONDS = 24 * 3600.0
HOUR_SECONDS = 3600.0
SAMPLE_SECONDS = 5.0
NOTE_SECONDS = 60.0
REAL = "real "
# Two recordings of 74 s as samples: a part may have both in hand, or have just freed them.
SOUND_MEGABYTES = 4.8
# All of it well within the first third of a run, after which all must stand at its level.
LIFETIMES = {
    "MAIE_RETENTION_JOBS_DAYS": 180 / DAY_SECONDS,
    "MAIE_RETENTION_EVENTS_DAYS": 120 / DAY_SECONDS,
    "MAIE_RETENTION_DEAD_LETTERS_DAYS": 180 / DAY_SECONDS,
    "MAIE_RETENTION_REQUEST_IDS_DAYS": 120 / DAY_SECONDS,
    "MAIE_RETENTION_UPLOADS_HOURS": 180 / HOUR_SECONDS,
    "MAIE_RETENTION_REMOVALS_SECONDS": 60,
    "MAIE_RETENTION_SWEEP_SECONDS": 15,
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(kw_only=True)
class Soaked:
    """What a soak gave.

    Attributes:
        sampler: The samples.
        loads: The flows of jobs, of the empty mesh and of the real one.
        seconds: How long it ran.
        others: The share of the machine that others took meanwhile, 0 to 1.
    """

    sampler: Sampler
    loads: tuple[Load, ...]
    seconds: float
    others: float

    @property
    def wrong(self) -> list[str]:
        """What should not have happened, one line each."""
        grown = [f"{one.name}: {one.what} grows" for one in self._judged() if one.grows]
        restarted = [f"{name} died and was started again" for name in self.sampler.restarts]
        return [*grown, *restarted, *(line for load in self.loads for line in load.wrong)]

    def _judged(self) -> Iterator[Series]:
        return (one for one in self.sampler.series.values() if one.per_hour is not None)


@app.command()
def main(
    minutes: Annotated[float, typer.Option(help="How long jobs flow.")] = 30.0,
    rate: Annotated[float, typer.Option(help="Jobs a second through empty stages.")] = 5.0,
    real_every: Annotated[float, typer.Option(help="Seconds between two real recordings.")] = 60.0,
    report: Annotated[Path, typer.Option(help="Where report.json and report.svg go.")] = (
        ROOT / ".cache" / "soak"
    ),
) -> None:
    """Let jobs flow, and say of each process and store whether it grows."""
    soaked = asyncio.run(_soak(minutes * 60, rate, real_every))
    _write(report, soaked)
    raise typer.Exit(1 if soaked.wrong else 0)


async def _soak(seconds: float, rate: float, real_every: float) -> Soaked:
    async with AsyncExitStack() as stack:
        data = stack.enter_context(data_folder())
        meshes = {
            "": await stack.enter_async_context(LocalMesh(_emptied(data / "empty"), note)),
            REAL: await stack.enter_async_context(LocalMesh(_real(data / "real"), note)),
        }
        loads = []
        for mesh in meshes.values():
            client = await stack.enter_async_context(Client(mesh.gateway))
            loads.append(Load(client=client, hook=""))
        empty, real = loads
        empty.hook = await stack.enter_async_context(webhook_receiver(empty.counts))
        sampler = Sampler(meshes, {REAL: SOUND_MEGABYTES})
        others, started = Others(), time.monotonic()
        stack.push_async_callback(sampler.close)
        async with asyncio.TaskGroup() as group:
            group.create_task(_watch(sampler, seconds))
            group.create_task(empty.flow(rate, seconds))
            group.create_task(empty.ask(seconds))
            group.create_task(real.recordings(SAMPLE, real_every, seconds))
        return Soaked(
            sampler=sampler,
            loads=(empty, real),
            seconds=time.monotonic() - started,
            others=others.share(),
        )


def _emptied(data: Path) -> MeshOptions:
    return MeshOptions(
        data=data,
        port_base=0,
        environment=_settings()
        | {
            "PYTHONPATH": os.fspath(ROOT),
            "MAIE_GATEWAY_MAX_ACTIVE_JOBS": "1000",
            "MAIE_GATEWAY_MAX_ACTIVE_JOBS_PER_TENANT": "1000",
            "MAIE_WEBHOOKS_ALLOWED_NETWORKS": '["127.0.0.0/8"]',
        },
        commands={stage: (*EMPTY_SERVICE, stage) for stage in STAGES},
    )


def _real(data: Path) -> MeshOptions:
    return MeshOptions(data=data, port_base=0, profile="tiny", environment=_settings())


def _settings() -> dict[str, str]:
    return {name: str(value) for name, value in LIFETIMES.items()}


async def _watch(sampler: Sampler, seconds: float) -> None:
    """Samples at regular intervals, and prints the progress."""
    started = time.monotonic()
    noted = 0.0
    while (elapsed := time.monotonic() - started) < seconds:
        await sampler.sample()
        if elapsed >= noted + NOTE_SECONDS:
            noted += NOTE_SECONDS
            note(f"{elapsed / 60:.0f} of {seconds / 60:.0f} minutes")
        await asyncio.sleep(SAMPLE_SECONDS - (time.monotonic() - started) % SAMPLE_SECONDS)


def _write(folder: Path, soaked: Soaked) -> None:
    console = Console(record=True, width=140)
    console.print(
        f"{soaked.seconds / 60:.0f} minutes; slopes are those of the last two thirds. "
        f"Others took {soaked.others:.0%} of the machine.",
        style="dim",
    )
    for load in soaked.loads:
        counted = ", ".join(f"{count} {name}" for name, count in load.counts.most_common())
        console.print(counted, style="dim")
    console.print(_table(soaked.sampler))
    for line in soaked.wrong:
        console.print(line, style="red")
    folder.mkdir(parents=True, exist_ok=True)
    console.save_svg(str(folder / "report.svg"), title="make bench-soak")
    shown = {
        "seconds": soaked.seconds,
        "others": soaked.others,
        "machine": machine(),
        "counts": [load.counts for load in soaked.loads],
        "wrong": soaked.wrong,
        "series": [
            asdict(one) | {"slope_per_hour": one.slope, "allowed_per_hour": one.allowed}
            for one in soaked.sampler.series.values()
        ],
    }
    (folder / "report.json").write_text(json.dumps(shown))


def _table(sampler: Sampler) -> Table:
    table = Table(
        "of", "what", "start", "end", "an hour", "allowed", "course", "", box=box.SIMPLE_HEAD
    )
    for one in sampler.series.values():
        if one.allowed is None:
            verdict = ""
        else:
            verdict = "[bold red]grows[/]" if one.grows else "[green]flat[/]"
        table.add_row(
            one.name,
            one.what,
            f"{one.values[0]:.4g} {one.unit}",
            f"{one.values[-1]:.4g} {one.unit}",
            f"{one.slope:+.2f} {one.unit}",
            "" if one.allowed is None else f"{one.allowed:.4g} {one.unit}",
            one.picture(),
            verdict,
        )
    return table


if __name__ == "__main__":
    app()
