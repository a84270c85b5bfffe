"""Jobs through stages that do nothing: what the mesh itself costs.

Broker, four services and gateway are processes of their own, as in production. A job has one
chunk. With all features it has four units of work: preprocess, asr, enhancement and
summary.reduce; with the raw transcript alone it has the first two. The events of a followed job are
streamed to its client, as an interactive client needs them; jobs that are only submitted are like
hundreds of recordings in a batch.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated

import typer
from psutil import Process

from bench.meshes import data_folder, empty_mesh
from bench.report import Figure, JsonOption, Report, note
from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.child import Child
from maie_cli.mesh.options import STAGES
from maie_cli.mesh.parts import GATEWAY, NATS
from maie_client import Client
from maie_client.config import JobOptions

TEMPLATE = "meeting_notes_v1"
# What a job asked for when its figures were first taken; speakers are a graph of their own.
EVERYTHING = ("raw_transcript", "clean_transcript", "summary", "enhancement_metrics")
RAW = ("raw_transcript",)
RATES = (5, 20)
PROMISED_RATE = 20
PROMISED_JOBS = 100
PROMISED_MS = 100
WARM_UP_JOBS = 20
LOOK_SECONDS = 0.1

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    jobs: Annotated[int, typer.Option(help="How many jobs give the throughput.")] = 400,
    in_flight: Annotated[int, typer.Option(help="How many clients submit jobs at once.")] = 32,
    slots: Annotated[int, typer.Option(help="How many units each service runs at once.")] = 1,
    seconds: Annotated[float, typer.Option(help="How long each rate is kept up.")] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Prints jobs per second, and the time from submit to result at low rates."""
    asyncio.run(_main(jobs, in_flight, slots, seconds, as_json))


async def _main(jobs: int, in_flight: int, slots: int, seconds: float, as_json: bool) -> None:
    figures: list[Figure] = []
    # Both are removed at the end: ext4 looks at each file that was removed in the last minutes
    # whenever it makes a new one, and takes ten times as long.
    with data_folder() as folder:
        for name, sync_always in (("always", True), ("rarely", False)):
            figures += await _measure(
                folder / name, jobs, in_flight, slots, seconds, sync_always=sync_always
            )
    Report(
        bench="empty_stages",
        measured="Jobs of one chunk through four stages that answer at once, "
        "every part a process of its own.",
        settings={"jobs": jobs, "in_flight": in_flight, "slots": slots, "seconds": seconds},
        figures=figures,
    ).print(as_json)


async def _measure(
    data: Path, jobs: int, in_flight: int, slots: int, seconds: float, *, sync_always: bool
) -> list[Figure]:
    # The promise is for the server's own sync interval; the other one is reported as well.
    at_least = None if sync_always else PROMISED_JOBS
    at_most = None if sync_always else PROMISED_MS
    broker = f"sync {'always' if sync_always else 'every 2 min'}"
    unfinished = str(jobs + int(max(RATES) * seconds))
    environment = {
        "MAIE_GATEWAY_MAX_ACTIVE_JOBS": unfinished,
        "MAIE_GATEWAY_MAX_ACTIVE_JOBS_PER_TENANT": unfinished,
        "MAIE_GATEWAY_MAX_RUNNING_JOBS_PER_TENANT": unfinished,
        "MAIE_LOG_LEVEL": "warning",
        **{f"MAIE_{stage.upper()}_SLOTS": str(slots) for stage in STAGES},
    }
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(
            empty_mesh(data, sync_always=sync_always, environment=environment)
        )
        client = await stack.enter_async_context(Client(parts["gateway"].part.address))
        await all_at_once(client, WARM_UP_JOBS, in_flight)
        figures: list[Figure] = []
        for kind, way, features in (
            ("all features, 4 units, followed", all_at_once, EVERYTHING),
            ("all features, 4 units, handed in", all_handed_in, EVERYTHING),
            ("raw transcript, 2 units, followed", all_at_once, RAW),
        ):
            note(f"{broker}: {jobs} jobs ({kind}), {in_flight} clients")
            going = way(client, jobs, in_flight, features)
            for figure in await _throughput(going, parts, jobs, at_least):
                figures.append(replace(figure, name=f"{kind}: {figure.name}"))
        for rate in RATES:
            note(f"{broker}: {rate} jobs/s for {seconds:g} s")
            waits = await _at_rate(client, rate, seconds)
            figures += _latencies(rate, waits, at_most if rate == PROMISED_RATE else None)
        return [replace(figure, name=f"{broker}: {figure.name}") for figure in figures]


async def _throughput(
    going: Awaitable[float], parts: Mapping[str, Child], jobs: int, at_least: float | None
) -> list[Figure]:
    """Jobs per second, and what they cost, which others on the machine change less."""
    before = _cpu_seconds(parts)
    rate = await going
    spent = {name: seconds - before[name] for name, seconds in _cpu_seconds(parts).items()}
    services = sum(spent[stage] for stage in STAGES)
    return [
        Figure(name="throughput", value=rate, unit="jobs/s", at_least=at_least),
        *(
            Figure(name=f"CPU per job, {name}", value=1000 * seconds / jobs, unit="ms")
            for name, seconds in (
                ("gateway", spent[GATEWAY]),
                ("four services", services),
                ("broker", spent[NATS]),
            )
        ),
    ]


def _cpu_seconds(parts: Mapping[str, Child]) -> dict[str, float]:
    return {name: sum(Process(child.pid).cpu_times()[:2]) for name, child in parts.items()}


def _latencies(rate: int, waits: list[float], p99_at_most: float | None) -> list[Figure]:
    name = f"submit to result at {rate} jobs/s"
    p50, p99 = 1000 * median(waits), 1000 * quantiles(waits, n=100)[-1]
    return [
        Figure(name=f"{name}, p50", value=p50, unit="ms"),
        Figure(name=f"{name}, p99", value=p99, unit="ms", at_most=p99_at_most),
    ]


async def all_at_once(
    client: Client, jobs: int, in_flight: int, features: Sequence[str] = EVERYTHING
) -> float:
    """Jobs per second, when a new one is submitted as soon as one is finished."""
    started = time.perf_counter()
    await side_by_side(jobs, in_flight, lambda: _one(client, features))
    return jobs / (time.perf_counter() - started)


async def all_handed_in(
    client: Client, jobs: int, in_flight: int, features: Sequence[str]
) -> float:
    """Jobs per second up to the last result, when clients submit them and go."""
    options = _options(features)
    options["labels"] = labels = {"handed-in": uuid.uuid4().hex}
    started = time.perf_counter()
    await side_by_side(jobs, in_flight, lambda: client.create_job(_recording(), **options))
    active = jobs
    while active:
        await asyncio.sleep(LOOK_SECONDS)
        active = (await client.get_mesh()).active_jobs
    seconds = time.perf_counter() - started
    complete = client.list_jobs(states=[job.JOB_STATE_COMPLETE], labels=labels)
    if (count := len([each async for each in complete])) != jobs:
        raise RuntimeError(f"Of {jobs} jobs, {count} were completed.")
    return jobs / seconds


async def side_by_side(times: int, at_once: int, work: Callable[[], Awaitable[object]]) -> None:
    """Does work so many times, at most some of it at once."""
    waiting = iter(range(times))

    async def work_until_none_is_left() -> None:
        for _ in waiting:
            await work()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work_until_none_is_left())


async def _at_rate(client: Client, rate: int, seconds: float) -> list[float]:
    """Seconds from submit to result, when jobs come evenly, whatever became of those before."""
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        tasks = []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
            tasks.append(group.create_task(_one(client)))
    return [task.result() for task in tasks]


async def _one(client: Client, features: Sequence[str] = EVERYTHING) -> float:
    """Submits a job, follows it to its end, and says how many seconds it took."""
    started, last = time.perf_counter(), None
    async for event in client.process(_recording(), **_options(features)):
        last = event
    if last is None or last.finished.job.state != job.JOB_STATE_COMPLETE:
        raise RuntimeError(f"A job was not completed: {last}")
    return time.perf_counter() - started


def _options(features: Sequence[str]) -> JobOptions:
    return {"features": features, "template_id": TEMPLATE if "summary" in features else ""}


async def _recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


if __name__ == "__main__":
    app()
