"""What limits a mesh at so many hours of audio a day, from what a job and a chunk cost it.

Jobs of few and of many chunks run through stages that answer at once. The difference gives the
durable writes, the bytes that go to streams and the processor time of a chunk; what is left is that
of a job. Jobs of a size in between are foretold from these and measured: the forecast is only worth
as much as that. Engines, the decoding of audio and the object store are not in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from typing import Annotated

import typer
from psutil import Process

from bench._empty_service import CHUNKS_OF_A_JOB
from bench.empty_stages import all_at_once
from bench.meshes import data_folder, empty_mesh, operator, pids_of
from bench.report import Figure, JsonOption, Report, note
from bench.stored import counting
from bench.writes import HEARTBEATS
from maie_cli.mesh.child import Child
from maie_cli.mesh.parts import GATEWAY, NATS
from maie_client import Client

FEW, BETWEEN, MANY = 1, 6, 16
HOURS_A_DAY = (10, 1_000, 100_000)
SECONDS_A_DAY = 24 * 3600
WARM_UP_JOBS = 8
IN_FLIGHT = 8
# What the forecast of the size in between may be wrong by.
MAX_WRONG = 0.25

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(kw_only=True, frozen=True, slots=True)
class Cost:
    """What a job, or a chunk, costs.

    Attributes:
        writes: Messages that streams store.
        kilobytes: Their subjects, headers and payloads.
        gateway: Processor milliseconds of the gateway.
        broker: Those of the broker.
        services: Those of the four services, without their engines.
    """

    writes: float
    kilobytes: float
    gateway: float
    broker: float
    services: float

    def plus(self, other: Cost, times: float) -> Cost:
        """The sum of this and so many of the other."""
        return Cost(
            **{
                each.name: getattr(self, each.name) + times * getattr(other, each.name)
                for each in fields(Cost)
            }
        )


@app.command()
def main(
    chunks: Annotated[int, typer.Option(help="How many chunks each size is measured over.")] = 480,
    chunk_seconds: Annotated[float, typer.Option(help="The length of a chunk.")] = 30.0,
    recording_minutes: Annotated[float, typer.Option(help="The length of a recording.")] = 30.0,
    peak: Annotated[float, typer.Option(help="The busiest hour, over the mean of the day.")] = 3.0,
    as_json: JsonOption = False,
) -> None:
    """Print what a chunk costs, and what a day of 10 to 100,000 hours needs at its peak."""
    report = asyncio.run(_report(chunks, chunk_seconds, recording_minutes, peak))
    report.print(as_json)
    raise typer.Exit(0 if all(figure.kept is not False for figure in report.figures) else 1)


async def _report(chunks: int, chunk_seconds: float, minutes: float, peak: float) -> Report:
    few, between, many = [await _cost_of_a_job(size, chunks) for size in (FEW, BETWEEN, MANY)]
    zero = few.plus(few, -1)
    chunk = zero.plus(many.plus(few, -1), 1 / (MANY - FEW))
    job = few.plus(chunk, -FEW)
    figures = [*_costs("a job", job), *_costs("a chunk", chunk)]
    foretold = job.plus(chunk, BETWEEN)
    for each in fields(Cost):
        wrong = abs(getattr(foretold, each.name) / getattr(between, each.name) - 1)
        name = f"forecast of jobs of {BETWEEN} chunks, wrong by: {each.name}"
        figures.append(Figure(name=name, value=wrong, at_most=MAX_WRONG))
    for hours in HOURS_A_DAY:
        jobs = peak * hours * 60 / minutes / SECONDS_A_DAY
        a_second = zero.plus(job, jobs).plus(chunk, jobs * minutes * 60 / chunk_seconds)
        figures += _needs(f"{hours:,} hours a day, at the peak", a_second)
    return Report(
        bench="capacity",
        measured="What jobs cost the mesh around engines that answer at once, and what so many "
        "hours of audio a day would need of gateways, services and broker.",
        settings={
            "chunks": chunks,
            "chunk_seconds": chunk_seconds,
            "recording_minutes": minutes,
            "peak": peak,
        },
        figures=figures,
    )


async def _cost_of_a_job(size: int, chunks: int) -> Cost:
    """What a job of so many chunks costs, as a mean over some."""
    jobs = max(chunks // size, IN_FLIGHT)
    note(f"{jobs} jobs of {size} chunks")
    environment = {"MAIE_LOG_LEVEL": "warning", CHUNKS_OF_A_JOB: str(size)}
    async with AsyncExitStack() as stack:
        data = stack.enter_context(data_folder())
        parts = await stack.enter_async_context(empty_mesh(data, environment=environment))
        client = await stack.enter_async_context(Client(parts[GATEWAY].part.address))
        nats = await stack.enter_async_context(operator(data, parts))
        await all_at_once(client, WARM_UP_JOBS, IN_FLIGHT)
        async with counting(nats) as published:
            before = _processor_ms(parts)
            await all_at_once(client, jobs, IN_FLIGHT)
            spent = {name: ms - before[name] for name, ms in _processor_ms(parts).items()}
    del published.sizes[HEARTBEATS], published.messages[HEARTBEATS]
    return Cost(
        writes=published.messages.total() / jobs,
        kilobytes=published.sizes.total() / 1000 / jobs,
        gateway=spent.pop(GATEWAY) / jobs,
        broker=spent.pop(NATS) / jobs,
        services=sum(spent.values()) / jobs,
    )


def _processor_ms(parts: Mapping[str, Child]) -> dict[str, float]:
    return {name: 1000 * sum(Process(pid).cpu_times()[:2]) for name, pid in pids_of(parts).items()}


def _costs(name: str, cost: Cost) -> list[Figure]:
    return [
        Figure(name=f"{name}: writes", value=cost.writes),
        Figure(name=f"{name}: to streams", value=cost.kilobytes, unit="kB"),
        Figure(name=f"{name}: gateway", value=cost.gateway, unit="ms"),
        Figure(name=f"{name}: broker", value=cost.broker, unit="ms"),
        Figure(name=f"{name}: services", value=cost.services, unit="ms"),
    ]


def _needs(name: str, a_second: Cost) -> list[Figure]:
    return [
        Figure(name=f"{name}: durable writes", value=a_second.writes, unit="1/s"),
        Figure(name=f"{name}: to streams", value=a_second.kilobytes / 1000, unit="MB/s"),
        Figure(name=f"{name}: gateways", value=a_second.gateway / 1000, unit="cores"),
        Figure(name=f"{name}: broker", value=a_second.broker / 1000, unit="cores"),
        Figure(name=f"{name}: services", value=a_second.services / 1000, unit="cores"),
    ]


if __name__ == "__main__":
    app()
