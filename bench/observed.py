"""What it costs jobs that a mesh is seen and guarded: metrics, all traces and API keys, or none.

Two meshes run all the time, with every part a process of its own. Rounds of jobs go to them in
turn, and each round is compared with the one next to it, so that what else the machine does counts
for both. First the jobs are those of a recording through the real engines; then they have four
units of which none does anything, which shows the cost where it is largest. The collector of the
traces runs on the same machine.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from psutil import Process

from bench.empty_stages import EVERYTHING, TEMPLATE, all_at_once, side_by_side
from bench.meshes import AS_ASKED, EMPTY_SERVICE, data_folder, through_mesh
from bench.observing import Observing, OnOption, collector, observed, settings
from bench.others import Others
from bench.readings import long_reading, write_wav
from bench.report import Figure, JsonOption, Report, note
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import STAGES, MeshOptions
from maie_client import Client

ROOT = Path(__file__).resolve().parent.parent
PROMISED_PERCENT = 5.0
REAL_AT_ONCE = 2
EMPTY_AT_ONCE = 16
UNFINISHED = "1000"
UNLIMITED = "1000000"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    real_jobs: Annotated[int, typer.Option(help="How many real jobs a round has.")] = 6,
    empty_jobs: Annotated[int, typer.Option(help="How many empty jobs a round has.")] = 100,
    seconds: Annotated[float, typer.Option(help="How long a real recording is.")] = 15.0,
    rounds: Annotated[int, typer.Option(help="How many rounds each mesh has.")] = 8,
    on: OnOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prints how many fewer jobs a second a mesh does that is seen and guarded."""
    wanted = frozenset(on or Observing)
    asyncio.run(_measure(wanted, real_jobs, empty_jobs, seconds, rounds)).print(as_json)


async def _measure(
    on: Collection[Observing], real_jobs: int, empty_jobs: int, seconds: float, rounds: int
) -> Report:
    others = Others()
    with data_folder() as folder, collector() as address:
        recording = folder / "recording.wav"
        write_wav(recording, long_reading(seconds))
        sides = _Sides(on=on, collector=address, rounds=rounds)
        real = await sides.compare(
            folder / "real", empty=False, work=lambda client: _real(client, recording, real_jobs)
        )
        empty = await sides.compare(
            folder / "empty", empty=True, work=lambda client: _empty(client, empty_jobs)
        )
    return Report(
        bench="observed",
        measured=f"Jobs with {', '.join(sorted(on))} on and off, in turn; medians of the rounds.",
        settings={
            "real jobs": real_jobs,
            "seconds of each": seconds,
            "empty jobs": empty_jobs,
            "rounds": rounds,
        },
        figures=[
            *_figures("real engines", real, real_jobs),
            *_figures("no engines", empty, empty_jobs),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    )


@dataclass(kw_only=True, frozen=True, slots=True)
class Round:
    """What a round of jobs took.

    Attributes:
        seconds: How long it took.
        processor: Seconds of processor time of all parts, which others change less.
    """

    seconds: float
    processor: float


Pairs = list[tuple[Round, Round]]
"""Rounds with everything off and on, next to each other."""
Work = Callable[[Client], Coroutine[Any, Any, object]]


@dataclass(kw_only=True, frozen=True)
class _Sides:
    """A mesh with everything on and one with everything off.

    Attributes:
        on: What everything is.
        collector: HOST:PORT of the collector of traces.
        rounds: How many rounds each has.
    """

    on: Collection[Observing]
    collector: str
    rounds: int

    async def compare(self, folder: Path, work: Work, *, empty: bool) -> Pairs:
        """Does the work with both in turn.

        Args:
            folder: Is made for both.
            work: A round of jobs.
            empty: Whether stages have no engines.
        """
        pairs: Pairs = []
        async with AsyncExitStack() as stack:
            meshes = [
                await stack.enter_async_context(self._mesh(folder / name, on, empty=empty))
                for name, on in (("off", ()), ("on", self.on))
            ]
            for mesh in meshes:
                await mesh.round(work)
            for number in range(self.rounds):
                # Whichever goes first may find the machine busier: they take turns at that too.
                off, on = meshes
                if number % 2:
                    pairs.append((await off.round(work), await on.round(work)))
                else:
                    pairs.append((await on.round(work), await off.round(work))[::-1])
                note(f"{folder.name}: round {number + 1} of {self.rounds}")
        return pairs

    @asynccontextmanager
    async def _mesh(
        self, folder: Path, on: Collection[Observing], *, empty: bool
    ) -> AsyncIterator[_Mesh]:
        environment = {
            "MAIE_GATEWAY_MAX_ACTIVE_JOBS": UNFINISHED,
            "MAIE_GATEWAY_MAX_ACTIVE_JOBS_PER_TENANT": UNFINISHED,
            "MAIE_GATEWAY_MAX_RUNNING_JOBS_PER_TENANT": UNFINISHED,
            "MAIE_GATEWAY_LIMIT_REQUESTS_PER_SECOND": UNLIMITED,
            "MAIE_GATEWAY_LIMIT_REQUESTS_BURST": UNLIMITED,
            "MAIE_LOG_LEVEL": "warning",
            **AS_ASKED,
            "PYTHONPATH": os.fspath(ROOT),
            **settings(on, folder, self.collector),
        }
        options = MeshOptions(
            data=folder / "mesh",
            port_base=0,
            environment=environment,
            commands={stage: (*EMPTY_SERVICE, stage) for stage in STAGES} if empty else {},
        )
        async with AsyncExitStack() as stack:
            local = await stack.enter_async_context(LocalMesh(options, note))
            parts = local.children
            key = await stack.enter_async_context(
                observed(on, folder, local.gateway, local.layout, parts)
            )
            client = await stack.enter_async_context(Client(local.gateway, token=key))
            yield _Mesh(client=client, mesh=local)


@dataclass(kw_only=True, frozen=True)
class _Mesh:
    client: Client
    mesh: LocalMesh

    async def round(self, work: Work) -> Round:
        loop, spent = asyncio.get_running_loop(), self._processor()
        began = loop.time()
        await work(self.client)
        return Round(seconds=loop.time() - began, processor=self._processor() - spent)

    def _processor(self) -> float:
        pids = (child.pid for child in self.mesh.children.values() if child.pid)
        return sum(sum(Process(pid).cpu_times()[:2]) for pid in pids)


async def _real(client: Client, recording: Path, jobs: int) -> None:
    await side_by_side(
        jobs,
        REAL_AT_ONCE,
        lambda: through_mesh(client, recording, features=EVERYTHING, template_id=TEMPLATE),
    )


async def _empty(client: Client, jobs: int) -> None:
    await all_at_once(client, jobs, EMPTY_AT_ONCE, EVERYTHING)


def _figures(name: str, pairs: Pairs, jobs: int) -> Sequence[Figure]:
    return [
        Figure(
            name=f"{name}: everything off",
            value=median(jobs / off.seconds for off, _ in pairs),
            unit="jobs/s",
        ),
        Figure(
            name=f"{name}: fewer jobs/s with everything on",
            value=100 * (1 - median(off.seconds / on.seconds for off, on in pairs)),
            unit="%",
            at_most=PROMISED_PERCENT,
        ),
        Figure(
            name=f"{name}: processor time of a job, everything off",
            value=median(1000 * off.processor / jobs for off, _ in pairs),
            unit="ms",
        ),
        Figure(
            name=f"{name}: more processor time with everything on",
            value=100 * (median(on.processor / off.processor for off, on in pairs) - 1),
            unit="%",
            at_most=PROMISED_PERCENT,
        ),
    ]


if __name__ == "__main__":
    app()
