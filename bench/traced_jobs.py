"""What traces cost jobs: the same empty jobs with all of them recorded and with none, in turn.

Each side is a gateway and four stages without engines around a broker of its own, all parts in this
process, so that the cost is measured where it is largest: no engine works, and one interpreter does
everything. The collector is another process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Annotated, NamedTuple

import structlog
import typer

from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from maie_client import Client
from maie_core.settings import MeshSettings
from maie_runtime.bus.provision import open_provisioned_broker
from tests.collector import Collector, tracing_variables
from tests.conftest import NatsServer, free_port
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh

FEATURES = ("raw_transcript", "clean_transcript", "summary")
CHUNKS = 3
PROMISED = 0.95
AT_ONCE = 8
MOST_JOBS = 1000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Round(NamedTuple):
    """Jobs a second, and milliseconds of processor time for each."""

    rate: float
    cpu: float


@app.command()
def main(
    jobs: Annotated[int, typer.Option(help="How many jobs a round has.")] = 60,
    rounds: Annotated[int, typer.Option(help="How many rounds each side has.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Prints how many jobs a second there are with and without traces."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    collector = subprocess.Popen(
        [sys.executable, "-m", "bench._collector"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert collector.stdout is not None
        address = collector.stdout.readline().strip()
        report = asyncio.run(_measure(jobs, rounds, address))
    finally:
        collector.terminate()
        collector.wait()
    report.print(as_json)


async def _measure(jobs: int, rounds: int, address: str) -> Report:
    others = Others()
    found: list[dict[str, Round]] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sides = {"off": await _mesh(stack, folder / "off")}
        os.environ |= tracing_variables(Collector(address=address))
        os.environ["OTEL_BSP_SCHEDULE_DELAY"] = "1000"
        sides["on"] = await _mesh(stack, folder / "on")
        for side in sides.values():
            await _round(side, jobs)
        for number in range(rounds):
            order = ("off", "on") if number % 2 else ("on", "off")
            found.append({name: await _round(sides[name], jobs) for name in order})
            note(f"round {number + 1} of {rounds}")
    off = [each["off"] for each in found]
    return Report(
        bench="traced_jobs",
        measured="Empty jobs of 11 units with all traces recorded and with none; medians.",
        settings={"jobs": jobs, "rounds": rounds, "at once": AT_ONCE},
        figures=[
            Figure(name="jobs a second without traces", value=median(each.rate for each in off)),
            Figure(
                name="with traces, over that",
                at_least=PROMISED,
                value=median(each["on"].rate / each["off"].rate for each in found),
            ),
            Figure(
                name="processor time of a job without", unit="ms", value=median(e.cpu for e in off)
            ),
            Figure(
                name="traces add",
                unit="ms",
                value=median(each["on"].cpu - each["off"].cpu for each in found),
            ),
            Figure(name="CPU that others took meanwhile", unit="%", value=100 * others.share()),
        ],
    )


async def _mesh(stack: AsyncExitStack, folder: Path) -> Client:
    server = NatsServer(port=free_port(), store=folder / "jetstream")
    await server.start()
    stack.push_async_callback(server.stop)
    async with open_provisioned_broker(server.url, "bench"):
        pass
    limits = ("max_active_jobs", "max_active_jobs_per_tenant", "max_running_jobs_per_tenant")
    mesh = EmptyMesh(
        nats=server,
        mesh=MeshSettings(nats_url=server.url, blob_url=(folder / "blobs").as_uri()),
        stages=empty_stages(chunks=CHUNKS),
        gateway_options=dict.fromkeys(limits, MOST_JOBS),
        service_options={"slots": AT_ONCE},
    )
    return await stack.enter_async_context(mesh.running())


async def _round(client: Client, jobs: int) -> Round:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            events = client.process(_recording(), features=FEATURES, template_id="meeting_notes_v1")
            async for _ in events:
                pass

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one() for _ in range(jobs)))
    return Round(
        rate=jobs / (time.perf_counter() - began), cpu=(time.process_time() - cpu) / jobs * 1e3
    )


async def _recording() -> AsyncIterator[bytes]:
    yield b"not empty"


if __name__ == "__main__":
    app()
