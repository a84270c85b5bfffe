"""How many durable writes a unit of work costs, and how many bytes a chunk.

A write is a message that a stream stored: the increase of the stream's last sequence, which
JetStream never uses twice, over a number of jobs. A bucket is a stream, too, so each change of a
job record counts. The heartbeats of workers depend on time and not on work, and are reported apart.

The bytes of a chunk are those of all messages that jobs of so many chunks publish to streams, one
job at a time, each in a mesh of its own. They should not depend on the number of chunks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated

import typer
from nats.js import JetStreamContext

from bench._empty_service import CHUNKS_OF_A_JOB
from bench.empty_stages import WARM_UP_JOBS, all_at_once
from bench.meshes import data_folder, empty_mesh, operator
from bench.report import Figure, JsonOption, Report, note
from bench.stored import counting
from maie_client import Client
from maie_runtime.bus import subjects

# Preprocess, ASR, enhancement and summary of a job of one chunk.
UNITS_OF_A_JOB = 4
MAX_WRITES_OF_A_UNIT = 4.0
SETTLE_SECONDS = 1.0
# Grouping of events saves writes when much is going on; a lone job has none of it.
IN_FLIGHT = (1, 32)
HEARTBEATS = subjects.bucket_stream(subjects.WORKERS)
RECORDS = subjects.bucket_stream(subjects.JOBS)
CHUNKS = (1, 4, 16, 64, 256)
# Jobs of few chunks differ by chance: so many chunks are counted over, and two jobs at least.
COUNTED_CHUNKS = 64
MAX_LARGEST_OVER_SMALLEST = 2.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    jobs: Annotated[int, typer.Option(help="How many jobs are counted over.")] = 200,
    as_json: JsonOption = False,
) -> None:
    """Print writes per unit and job and bytes per chunk; exit with 1 when they are too many."""
    report = asyncio.run(_measure(jobs))
    report.print(as_json)
    raise typer.Exit(0 if all(figure.kept is not False for figure in report.figures) else 1)


async def _measure(jobs: int) -> Report:
    figures: list[Figure] = []
    async with AsyncExitStack() as stack:
        data = stack.enter_context(data_folder())
        parts = await stack.enter_async_context(
            empty_mesh(data, environment={"MAIE_LOG_LEVEL": "warning"})
        )
        client = await stack.enter_async_context(Client(parts["gateway"].part.address))
        nats = await stack.enter_async_context(operator(data, parts))
        await all_at_once(client, WARM_UP_JOBS, max(IN_FLIGHT))
        for in_flight in IN_FLIGHT:
            note(f"{jobs} jobs, {in_flight} in flight")
            before = await _settled(nats.jetstream())
            await all_at_once(client, jobs, in_flight)
            after = await _settled(nats.jetstream())
            figures += _figures(f"{in_flight} in flight", before, after, jobs)
    figures += await _bytes()
    return Report(
        bench="writes",
        measured="Messages that the broker stored over jobs of one chunk and all features, four "
        "units of work each, through four stages that answer at once; and the bytes that jobs of "
        "1 to 256 chunks publish to streams.",
        settings={"jobs": jobs},
        figures=figures,
    )


async def _bytes() -> list[Figure]:
    figures: list[Figure] = []
    totals: list[float] = []
    for chunks in CHUNKS:
        sizes = await _bytes_of_a_chunk(chunks)
        totals.append(sum(sizes.values()))
        jobs_of = f"jobs of {chunks} chunk{'s' if chunks > 1 else ''}"
        figures += [
            Figure(name=f"{jobs_of}: per chunk", value=totals[-1], unit="bytes"),
            Figure(name=f"{jobs_of}: per chunk, {RECORDS}", value=sizes[RECORDS], unit="bytes"),
        ]
    spread = max(totals) / min(totals)
    figures.append(
        Figure(
            name="bytes per chunk, largest over smallest",
            value=spread,
            at_most=MAX_LARGEST_OVER_SMALLEST,
        )
    )
    return figures


async def _bytes_of_a_chunk(chunks: int) -> dict[str, float]:
    """The bytes that go to each stream for a chunk of a job."""
    jobs = max(COUNTED_CHUNKS // chunks, 2)
    note(f"{jobs} jobs of {chunks} chunks")
    async with AsyncExitStack() as stack:
        data = stack.enter_context(data_folder())
        environment = {"MAIE_LOG_LEVEL": "warning", CHUNKS_OF_A_JOB: str(chunks)}
        parts = await stack.enter_async_context(empty_mesh(data, environment=environment))
        client = await stack.enter_async_context(Client(parts["gateway"].part.address))
        nats = await stack.enter_async_context(operator(data, parts))
        before = await _settled(nats.jetstream())
        async with counting(nats) as published:
            await all_at_once(client, jobs, 1)
            after = await _settled(nats.jetstream())
    for stream in after.keys() - {HEARTBEATS}:
        if published.messages[stream] < after[stream] - before[stream]:
            raise RuntimeError(f"Not all that {stream} stored was seen.")
    del published.sizes[HEARTBEATS]
    return {stream: size / jobs / chunks for stream, size in published.sizes.items()}


def _figures(
    name: str, before: Mapping[str, int], after: Mapping[str, int], jobs: int
) -> list[Figure]:
    stored = {stream: after[stream] - before.get(stream, 0) for stream in after}
    heartbeats = stored.pop(HEARTBEATS)
    total = sum(stored.values())
    return [
        Figure(
            name=f"{name}: per unit",
            value=total / jobs / UNITS_OF_A_JOB,
            unit="writes",
            at_most=MAX_WRITES_OF_A_UNIT,
        ),
        Figure(name=f"{name}: per job", value=total / jobs, unit="writes"),
        *(
            Figure(name=f"{name}: per job, {stream}", value=count / jobs, unit="writes")
            for stream, count in sorted(stored.items())
            if count
        ),
        Figure(name=f"{name}: heartbeats of workers, in all", value=heartbeats, unit="writes"),
    ]


async def _settled(jetstream: JetStreamContext) -> dict[str, int]:
    """The last sequence of each stream, once work has stopped."""
    last: dict[str, int] = {}
    while True:
        now = {
            info.config.name or "": info.state.last_seq for info in await jetstream.streams_info()
        }
        if now | {HEARTBEATS: 0} == last | {HEARTBEATS: 0}:
            return now
        last = now
        await asyncio.sleep(SETTLE_SECONDS)


if __name__ == "__main__":
    app()
