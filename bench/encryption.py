"""What the encryption of jobs costs: jobs and uploads with a master key against without one.

Two meshes run side by side, every part a process of its own, and take turns: the figures are ratios
of pairs that ran one right after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from bench.empty_stages import all_at_once
from bench.meshes import data_folder, empty_mesh
from bench.report import Figure, JsonOption, Report, note
from bench.upload import MEBIBYTE, upload
from maie_cli.mesh.parts import GATEWAY
from maie_client import Client
from maie_runtime.vault.key_file import new_line

WARM_UP_JOBS = 20
JOBS_RATIO = 0.9

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    jobs: Annotated[int, typer.Option(help="How many jobs a round has.")] = 200,
    in_flight: Annotated[int, typer.Option(help="How many clients submit jobs at once.")] = 32,
    mebibytes: Annotated[int, typer.Option(help="The size of each upload.")] = 200,
    rounds: Annotated[int, typer.Option(help="How many pairs of rounds.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Prints jobs per second and MB/s of uploads, and how they compare."""
    asyncio.run(_main(jobs, in_flight, mebibytes, rounds, as_json))


async def _main(jobs: int, in_flight: int, mebibytes: int, rounds: int, as_json: bool) -> None:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(data_folder())
        plain = await stack.enter_async_context(_mesh(folder / "plain", "", jobs))
        key = _key(folder / "master.key")
        sealed = await stack.enter_async_context(_mesh(folder / "sealed", key, jobs))

        async def work(client: Client) -> float:
            return await all_at_once(client, jobs, in_flight)

        async def send(client: Client) -> float:
            size = mebibytes * MEBIBYTE
            return size / 1e6 / await upload(client, size)

        for client in (plain, sealed):
            await all_at_once(client, WARM_UP_JOBS, in_flight)
        figures = [
            *await _pairs("jobs", "jobs/s", work, plain, sealed, rounds, JOBS_RATIO),
            *await _pairs("uploads", "MB/s", send, plain, sealed, rounds, None),
        ]
    Report(
        bench="encryption",
        measured="Jobs of one chunk through stages that answer at once, and uploads of random "
        "bytes, with and without a master key.",
        settings={"jobs": jobs, "in_flight": in_flight, "mebibytes": mebibytes, "rounds": rounds},
        figures=figures,
    ).print(as_json)


@asynccontextmanager
async def _mesh(data: Path, master_key: str, jobs: int) -> AsyncIterator[Client]:
    unfinished = str(jobs)
    environment = {
        "MAIE_GATEWAY_MASTER_KEY": master_key,
        "MAIE_GATEWAY_READ_MODEL_URL": "sqlite://",
        "MAIE_GATEWAY_MAX_ACTIVE_JOBS": unfinished,
        "MAIE_GATEWAY_MAX_ACTIVE_JOBS_PER_TENANT": unfinished,
        "MAIE_GATEWAY_MAX_RUNNING_JOBS_PER_TENANT": unfinished,
        "MAIE_LOG_LEVEL": "warning",
    }
    async with (
        empty_mesh(data, environment=environment) as parts,
        Client(parts[GATEWAY].part.address) as client,
    ):
        yield client


async def _pairs(
    what: str,
    unit: str,
    rate: Callable[[Client], Awaitable[float]],
    plain: Client,
    sealed: Client,
    rounds: int,
    at_least: float | None,
) -> list[Figure]:
    pairs = []
    for number in range(rounds):
        note(f"{what}: pair {number + 1} of {rounds}")
        # The order changes, so that neither always comes after the other.
        order = (plain, sealed) if number % 2 else (sealed, plain)
        rates = {client: await rate(client) for client in order}
        pairs.append((rates[plain], rates[sealed]))
    return [
        Figure(name=f"{what} without", value=median(each for each, _ in pairs), unit=unit),
        Figure(name=f"{what} with encryption", value=median(each for _, each in pairs), unit=unit),
        Figure(
            name=f"{what}, with against without",
            value=median(with_key / without for without, with_key in pairs),
            at_least=at_least,
        ),
    ]


def _key(path: Path) -> str:
    path.write_text(new_line())
    path.chmod(0o600)
    return path.as_uri()


if __name__ == "__main__":
    app()
