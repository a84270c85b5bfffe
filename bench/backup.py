"""How long a backup of jobs takes while the mesh runs, and a restore of it into an empty one.

The jobs have one chunk and all features, through stages that answer at once, so that what counts is
the number of entries and objects. Each recording has as many bytes as is asked for. The commands
run as a person runs them; their start is part of the time.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from bench.empty_stages import EVERYTHING, TEMPLATE, side_by_side
from bench.meshes import data_folder, empty_mesh
from bench.report import Figure, JsonOption, Report, note
from maie.job.v1 import job_pb2 as job
from maie_client import Client

IN_FLIGHT = 32
LOOK_SECONDS = 0.1

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    jobs: Annotated[int, typer.Option(help="How many jobs there are.")] = 1000,
    kilobytes: Annotated[int, typer.Option(help="The size of each recording.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Print the seconds of a backup, of a restore, and until the restored mesh lists all jobs."""
    asyncio.run(_measure(jobs, kilobytes)).print(as_json)


async def _measure(jobs: int, kilobytes: int) -> Report:
    with data_folder() as folder:
        here, there, backup = folder / "here", folder / "there", folder / "backup"
        async with AsyncExitStack() as stack:
            parts = await stack.enter_async_context(empty_mesh(here))
            client = await stack.enter_async_context(Client(parts["gateway"].part.address))
            note(f"{jobs} jobs")
            await _fill(client, jobs, kilobytes)
            taken = await _maie("backup", backup, here)
        restored = await _maie("restore", backup, there)
        started = time.perf_counter()
        async with AsyncExitStack() as stack:
            parts = await stack.enter_async_context(empty_mesh(there))
            client = await stack.enter_async_context(Client(parts["gateway"].part.address))
            found = await _complete(client, jobs)
            listed = time.perf_counter() - started
        manifest = json.loads((backup / "manifest.json").read_text())
        streams = sum(path.stat().st_size for path in (backup / "streams").iterdir())
    if found != jobs:
        raise RuntimeError(f"{found} jobs were restored, not {jobs}.")
    return Report(
        bench="backup",
        measured="Jobs of one chunk and all features: a backup while the mesh runs, a restore into "
        "an empty mesh, and its start until all jobs are listed as complete.",
        settings={"jobs": jobs, "kilobytes": kilobytes},
        figures=[
            Figure(name="backup", value=taken, unit="s"),
            Figure(name="restore", value=restored, unit="s"),
            Figure(name="start of the restored mesh until all are listed", value=listed, unit="s"),
            Figure(name="objects", value=manifest["objects"]),
            Figure(name="objects, bytes", value=manifest["object_bytes"] / 1e6, unit="MB"),
            Figure(name="streams, bytes", value=streams / 1e6, unit="MB"),
        ],
    )


async def _fill(client: Client, jobs: int, kilobytes: int) -> None:
    content = secrets.token_bytes(1000)

    async def recording() -> AsyncIterator[bytes]:
        for _ in range(kilobytes):
            yield content

    async def one() -> None:
        made = await client.create_job(recording(), features=EVERYTHING, template_id=TEMPLATE)
        async for _ in client.watch_job(made.job_id):
            pass

    await side_by_side(jobs, IN_FLIGHT, one)


async def _complete(client: Client, jobs: int) -> int:
    """Waits until so many jobs are listed as complete; returns how many are."""
    while True:
        listed = [each async for each in client.list_jobs(states=[job.JOB_STATE_COMPLETE])]
        if len(listed) >= jobs:
            return len(listed)
        await asyncio.sleep(LOOK_SECONDS)


async def _maie(command: str, backup: Path, data: Path) -> float:
    """Runs `maie backup` or `maie restore`; returns the seconds that it took."""
    note(f"maie {command}")
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "maie_cli", command, str(backup), "--data", str(data)
    )
    if await process.wait():
        raise RuntimeError(f"maie {command} failed.")
    return time.perf_counter() - started


if __name__ == "__main__":
    app()
