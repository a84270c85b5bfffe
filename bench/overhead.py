"""What the mesh adds to the work itself: one recording through it, and without it.

Without it means: the same four stages with the same engines and the same chunks, called one after
another in this process. On both sides the engines are loaded before the clock starts. The mesh's
time runs from the first byte of the upload to the result at the client; the other side finds the
recording in its store already. Both are idle while the other runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from in_process import Pipeline, open_pipeline
from meshes import data_folder
from others import Others
from recordings import repeated_sample
from report import Figure, JsonOption, Report, note

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_cli.mesh import LocalMesh, MeshOptions
from maie_client import Client

TEMPLATE = "meeting_notes_v1"
FEATURES = ("raw_transcript", "clean_transcript", "summary")
MAX_RATIO = 1.10

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    seconds: Annotated[float, typer.Option(help="How long the recording is at least.")] = 120.0,
    chunk_seconds: Annotated[float, typer.Option(help="The length that chunks aim at.")] = 300.0,
    pairs: Annotated[int, typer.Option(help="How often both sides run, in turn.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Prints the ratio of the medians."""
    asyncio.run(_main(seconds, chunk_seconds, pairs, as_json))


async def _main(seconds: float, chunk_seconds: float, pairs: int, as_json: bool) -> None:
    meshed: list[float] = []
    direct: list[float] = []
    others = Others()
    async with AsyncExitStack() as stack:
        data = stack.enter_context(data_folder())
        recording = data / "recording.wav"
        length = repeated_sample(recording, seconds)
        options = MeshOptions(data=data / "mesh", port_base=0)
        mesh = await stack.enter_async_context(LocalMesh(options, note))
        client = await stack.enter_async_context(Client(mesh.gateway))
        pipeline = await stack.enter_async_context(open_pipeline(data / "blobs"))
        stored = await pipeline.store(recording)
        for number in range(pairs):
            # Whichever goes first may find the machine busier: they take turns at that too.
            if number % 2 == 0:
                mesh_seconds, heard = await through_mesh(client, recording, chunk_seconds)
                own_seconds, read = await _in_process(pipeline, stored, chunk_seconds)
            else:
                own_seconds, read = await _in_process(pipeline, stored, chunk_seconds)
                mesh_seconds, heard = await through_mesh(client, recording, chunk_seconds)
            _check_same(heard, read)
            note(f"pair {number + 1}: mesh {mesh_seconds:.2f} s, one process {own_seconds:.2f} s")
            meshed.append(mesh_seconds)
            direct.append(own_seconds)
    Report(
        bench="overhead",
        measured="One recording through a mesh with one worker for each stage, against the same "
        "stages called one after another in one process.",
        settings={
            "recording_seconds": round(length, 1),
            "chunk_seconds": chunk_seconds,
            "pairs": pairs,
        },
        figures=[
            Figure(name="through the mesh, median", value=median(meshed), unit="s"),
            Figure(name="in one process, median", value=median(direct), unit="s"),
            Figure(name="ratio", value=median(meshed) / median(direct), at_most=MAX_RATIO),
            Figure(name="ratio of the best runs", value=min(meshed) / min(direct)),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    ).print(as_json)


async def through_mesh(
    client: Client, recording: Path, chunk_seconds: float
) -> tuple[float, Sequence[common.Segment]]:
    """Seconds from the upload's begin to the result, and the segments."""
    started = time.perf_counter()
    last = job.JobEvent()
    async for event in client.process(
        recording,
        features=FEATURES,
        template_id=TEMPLATE,
        chunk_duration=timedelta(seconds=chunk_seconds),
    ):
        last = event
    done = last.finished.job
    if done.state != job.JOB_STATE_COMPLETE:
        raise RuntimeError(f"The job is {job.JobState.Name(done.state)}: {done.failures}")
    return time.perf_counter() - started, done.results.segments


async def _in_process(
    pipeline: Pipeline, recording: common.Blob, chunk_seconds: float
) -> tuple[float, Sequence[common.Segment]]:
    started = time.perf_counter()
    segments = await pipeline.run(recording, TEMPLATE, chunk_seconds)
    return time.perf_counter() - started, segments


def _check_same(heard: Sequence[common.Segment], read: Sequence[common.Segment]) -> None:
    """Figures of two sides that did different work would mean nothing."""
    if list(heard) != list(read):
        raise RuntimeError("The mesh and the one process gave different transcripts.")


if __name__ == "__main__":
    app()
