"""What metrics cost: the same jobs through a mesh with metrics and one without, in turn.

Both meshes run all the time, with every part a process of its own and stages that answer at once.
Rounds of jobs go to them in turn, and each round is compared with the one next to it, so that what
else the machine does counts for both. All processes are scraped every few seconds meanwhile, as
Prometheus would.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated
from urllib.request import urlopen

import typer
from psutil import Process

from bench.empty_stages import EVERYTHING, all_at_once
from bench.meshes import data_folder, empty_mesh, pids_of
from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from maie_cli.mesh.child import Child
from maie_cli.mesh.layout import Layout
from maie_client import Client
from maie_runtime.background import background_tasks

PROMISED_PERCENT = 5.0
WARM_UP_JOBS = 40
# As in deploy/observability/prometheus.yaml.
SCRAPE_SECONDS = 15.0
UNFINISHED = "1000"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    jobs: Annotated[int, typer.Option(help="How many jobs a round has.")] = 100,
    rounds: Annotated[int, typer.Option(help="How many rounds each mesh has.")] = 20,
    in_flight: Annotated[int, typer.Option(help="How many clients submit jobs at once.")] = 16,
    as_json: JsonOption = False,
) -> None:
    """Prints how many fewer jobs a second a mesh with metrics does."""
    asyncio.run(_measure(jobs, rounds, in_flight)).print(as_json)


async def _measure(jobs: int, rounds: int, in_flight: int) -> Report:
    others = Others()
    found: dict[bool, list[Round]] = {False: [], True: []}
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(data_folder())
        meshes = {
            metered: await stack.enter_async_context(_mesh(folder, metered=metered))
            for metered in (False, True)
        }
        for mesh in meshes.values():
            await mesh.round(WARM_UP_JOBS, in_flight)
        for number in range(rounds):
            # Whichever goes first may find the machine busier: they take turns at that too.
            order = (False, True) if number % 2 else (True, False)
            for metered in order:
                found[metered].append(await meshes[metered].round(jobs, in_flight))
            note(f"round {number + 1} of {rounds}")
    pairs = list(zip(found[True], found[False], strict=True))
    processor = [mine.processor_ms / bare.processor_ms for mine, bare in pairs]
    return Report(
        bench="metered",
        measured="Jobs of four units through stages that answer at once, with metrics and without, "
        "in turn; medians over the rounds.",
        settings={"jobs": jobs, "rounds": rounds, "in_flight": in_flight},
        figures=[
            *(
                Figure(
                    name=f"{side} metrics", value=median(each.rate for each in of), unit="jobs/s"
                )
                for side, of in (("without", found[False]), ("with", found[True]))
            ),
            Figure(
                name="fewer jobs/s with metrics",
                value=100 * (1 - median(mine.rate / bare.rate for mine, bare in pairs)),
                unit="%",
                at_most=PROMISED_PERCENT,
            ),
            Figure(
                name="processor time of a job without metrics, all parts",
                value=median(each.processor_ms for each in found[False]),
                unit="ms",
            ),
            Figure(
                name="more processor time with metrics",
                value=100 * (median(processor) - 1),
                unit="%",
                at_most=PROMISED_PERCENT,
            ),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    )


@dataclass(kw_only=True, frozen=True, slots=True)
class Round:
    """What a round of jobs took.

    Attributes:
        rate: Jobs per second.
        processor_ms: Processor time of all parts for each job, which others change less.
    """

    rate: float
    processor_ms: float


@dataclass(kw_only=True, frozen=True)
class Mesh:
    """A mesh that runs.

    Attributes:
        client: A client of its gateway.
        parts: Its processes.
    """

    client: Client
    parts: Mapping[str, Child]

    async def round(self, jobs: int, in_flight: int) -> Round:
        """Runs so many jobs, some of them at once."""
        before = self._processor_seconds()
        rate = await all_at_once(self.client, jobs, in_flight, EVERYTHING)
        spent = self._processor_seconds() - before
        return Round(rate=rate, processor_ms=1000 * spent / jobs)

    def _processor_seconds(self) -> float:
        pids = pids_of(self.parts).values()
        return sum(sum(Process(pid).cpu_times()[:2]) for pid in pids)


@asynccontextmanager
async def _mesh(folder: Path, *, metered: bool) -> AsyncIterator[Mesh]:
    """A mesh as long as the context lasts."""
    data = folder / ("metered" if metered else "plain")
    environment = {
        "MAIE_GATEWAY_MAX_ACTIVE_JOBS": UNFINISHED,
        "MAIE_GATEWAY_MAX_ACTIVE_JOBS_PER_TENANT": UNFINISHED,
        "MAIE_GATEWAY_MAX_RUNNING_JOBS_PER_TENANT": UNFINISHED,
        "MAIE_LOG_LEVEL": "warning",
        **({"MAIE_METRICS_LISTEN": "127.0.0.1:0"} if metered else {}),
    }
    async with empty_mesh(data, sync_always=False, environment=environment) as parts:
        scraping = [_scrape(Layout(data).metrics_file, parts)] if metered else []
        async with Client(parts["gateway"].part.address) as client, background_tasks(*scraping):
            yield Mesh(client=client, parts=parts)


async def _scrape(file: Path, parts: Collection[str]) -> None:
    """Reads the metrics of all processes again and again; there are fewer than were planned."""
    groups = json.loads(await asyncio.to_thread(file.read_text))
    addresses = [group["targets"][0] for group in groups if group["labels"]["part"] in parts]
    while True:
        for address in addresses:
            await asyncio.to_thread(_read, address)
        await asyncio.sleep(SCRAPE_SECONDS)


def _read(address: str) -> None:
    with urlopen(f"http://{address}/metrics") as answer:
        answer.read()


if __name__ == "__main__":
    app()
