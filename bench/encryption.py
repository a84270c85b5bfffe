"""What the encryption of jobs costs: jobs and uploads with a master key against without one.

Two meshes run side by side, every part a process of its own, and take turns: the figures are ratios
of pairs that ran one right after the other. Processor time is that of all parts, which others on
the machine change less than the rate.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from psutil import Process

from bench.empty_stages import all_at_once
from bench.meshes import data_folder, empty_mesh, pids_of
from bench.report import Figure, JsonOption, Report, note
from bench.upload import MEBIBYTE, upload
from maie_cli.mesh.child import Child
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

        async def work(mesh: Mesh) -> Round:
            before = mesh.processor_seconds()
            rate = await all_at_once(mesh.client, jobs, in_flight)
            spent = mesh.processor_seconds() - before
            return Round(rate=rate, processor_ms=1000 * spent / jobs)

        async def send(mesh: Mesh) -> Round:
            before = mesh.processor_seconds()
            size = mebibytes * MEBIBYTE
            rate = size / 1e6 / await upload(mesh.client, size)
            spent = mesh.processor_seconds() - before
            return Round(rate=rate, processor_ms=1000 * spent)

        for mesh in (plain, sealed):
            await all_at_once(mesh.client, WARM_UP_JOBS, in_flight)
        worked = await _pairs("jobs", work, plain, sealed, rounds)
        sent = await _pairs("uploads", send, plain, sealed, rounds)
    Report(
        bench="encryption",
        measured="Jobs of one chunk through stages that answer at once, and uploads of random "
        "bytes, with and without a master key.",
        settings={"jobs": jobs, "in_flight": in_flight, "mebibytes": mebibytes, "rounds": rounds},
        figures=[
            *_figures("jobs", "jobs/s", worked, JOBS_RATIO),
            *_figures("uploads", "MB/s", sent, None),
        ],
    ).print(as_json)


@dataclass(kw_only=True, frozen=True, slots=True)
class Round:
    """What a round took.

    Attributes:
        rate: Jobs or megabytes per second.
        processor_ms: Processor time of all parts, for each job or for the upload.
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

    def processor_seconds(self) -> float:
        """The processor time of all parts so far."""
        return sum(sum(Process(pid).cpu_times()[:2]) for pid in pids_of(self.parts).values())


@asynccontextmanager
async def _mesh(data: Path, master_key: str, jobs: int) -> AsyncIterator[Mesh]:
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
        yield Mesh(client=client, parts=parts)


async def _pairs(
    what: str, work: Callable[[Mesh], Awaitable[Round]], plain: Mesh, sealed: Mesh, rounds: int
) -> list[tuple[Round, Round]]:
    pairs = []
    for number in range(rounds):
        note(f"{what}: pair {number + 1} of {rounds}")
        # The order changes, so that neither always comes after the other.
        if number % 2:
            without = await work(plain)
            pairs.append((without, await work(sealed)))
        else:
            with_key = await work(sealed)
            pairs.append((await work(plain), with_key))
    return pairs


def _figures(
    what: str, unit: str, pairs: list[tuple[Round, Round]], at_least: float | None
) -> list[Figure]:
    return [
        Figure(name=f"{what} without", value=median(a.rate for a, _ in pairs), unit=unit),
        Figure(name=f"{what} with encryption", value=median(b.rate for _, b in pairs), unit=unit),
        Figure(
            name=f"{what}, with against without",
            value=median(b.rate / a.rate for a, b in pairs),
            at_least=at_least,
        ),
        Figure(
            name=f"{what}, processor time without",
            value=median(a.processor_ms for a, _ in pairs),
            unit="ms",
        ),
        Figure(
            name=f"{what}, processor time, with against without",
            value=median(b.processor_ms / a.processor_ms for a, b in pairs),
        ),
    ]


def _key(path: Path) -> str:
    path.write_text(new_line())
    path.chmod(0o600)
    return path.as_uri()


if __name__ == "__main__":
    app()
