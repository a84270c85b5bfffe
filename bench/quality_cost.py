"""What it costs jobs that the sound of each recording is measured, though none asks for it.

One mesh has two gateways, of which one adds the report and the other does not. Rounds of jobs go to
them in turn, and each round is compared with the one next to it, so that what else the machine does
counts for both. The jobs of a round come at once, and it lasts until all are complete with their
reports. They ask for the raw transcript alone, where the cost is largest; ASR and quality share the
processors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from psutil import Process

from bench.meshes import AS_ASKED, data_folder, through_mesh
from bench.others import Others
from bench.readings import long_reading, write_wav
from bench.report import Figure, JsonOption, Report, note
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_client import Client
from tests.second_gateway import start_second_gateway

FEATURES = ("raw_transcript",)
QUALITY = "quality"
# All reports are made, however busy the machine is: one that is given up would cost less.
GRACE_SECONDS = "600"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(kw_only=True, frozen=True, slots=True)
class Round:
    """What a round of jobs took.

    Attributes:
        seconds: How long it took.
        processor: Seconds of processor time of each part.
        reports: How many jobs have a report.
    """

    seconds: float
    processor: Mapping[str, float]
    reports: int

    @property
    def work(self) -> float:
        """Seconds of processor time of all parts."""
        return sum(self.processor.values())


@app.command()
def main(
    jobs: Annotated[int, typer.Option(min=1, help="How many jobs a round has.")] = 6,
    seconds: Annotated[float, typer.Option(help="How long a recording is at least.")] = 20.0,
    rounds: Annotated[int, typer.Option(min=1, help="How many rounds each gateway has.")] = 4,
    model: Annotated[
        Path | None,
        typer.Option(help="A Whisper model's folder; whisper-base if unset.", resolve_path=True),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prints how many jobs a second are done with the report over those without."""
    asyncio.run(_measured(jobs, seconds, rounds, model)).print(as_json)


async def _measured(jobs: int, seconds: float, rounds: int, model: Path | None) -> Report:
    others = Others()
    pairs: list[tuple[Round, Round]] = []
    with data_folder() as data:
        recording, reading = data / "recording.wav", long_reading(seconds)
        write_wav(recording, reading)
        environment = {
            "MAIE_ASR_ENGINE": "whisper",
            "MAIE_GATEWAY_OPTIONAL_GRACE_SECONDS": GRACE_SECONDS,
            "MAIE_QUALITY_NICE": "0",  # giving way to other work would be measured as a cost
        }
        if model:
            environment["MAIE_ASR_WHISPER_MODEL_PATH"] = str(model)
        options = MeshOptions(data=data / "mesh", port_base=0, environment=environment)
        async with LocalMesh(options, note) as mesh:
            without = await start_second_gateway(mesh, AS_ASKED)
            async with Client(without) as plain, Client(mesh.gateway) as measuring:
                await _round(mesh, measuring, recording, 1)  # loads what is loaded late
                for number in range(rounds):
                    # Whichever goes first may find the machine busier: they take turns at that too.
                    first, second = (plain, measuring)[:: -1 if number % 2 else 1]
                    pair = [
                        await _round(mesh, first, recording, jobs),
                        await _round(mesh, second, recording, jobs),
                    ]
                    off, on = pair[:: -1 if number % 2 else 1]
                    note(f"without {off.seconds:.1f} s, with the report {on.seconds:.1f} s")
                    pairs.append((off, on))
    if any(off.reports for off, _ in pairs):
        raise RuntimeError("A gateway added the report that was not to.")
    return Report(
        bench="quality_cost",
        measured="Jobs with the raw transcript alone, with and without the report of the sound "
        "that nobody asked for, in turn; medians of the rounds.",
        settings={
            "jobs": jobs,
            "recording_seconds": round(reading.seconds, 1),
            "rounds": rounds,
            "model": model.name if model else "whisper-base",
        },
        figures=[
            *_figures(pairs, jobs, reading.seconds),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    )


async def _round(mesh: LocalMesh, client: Client, recording: Path, jobs: int) -> Round:
    loop, before, reports = asyncio.get_running_loop(), _processor(mesh), 0

    async def one() -> None:
        nonlocal reports
        _, results = await through_mesh(client, recording, features=FEATURES)
        reports += results.HasField("quality_report")

    began = loop.time()
    await asyncio.gather(*(one() for _ in range(jobs)))
    taken, after = loop.time() - began, _processor(mesh)
    spent = {name: after[name] - before.get(name, 0.0) for name in after}
    return Round(seconds=taken, processor=spent, reports=reports)


def _processor(mesh: LocalMesh) -> dict[str, float]:
    """Seconds of processor time of each part, its decoding processes among them."""
    taken = {}
    for name, child in mesh.children.items():
        if child.pid:
            process = Process(child.pid)
            times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
            # Those of children that have ended are among them.
            taken[name] = sum(sum(each[:4]) for each in times)
    return taken


def _figures(pairs: Sequence[tuple[Round, Round]], jobs: int, seconds: float) -> list[Figure]:
    made = sum(on.reports for _, on in pairs)
    audio = jobs * seconds
    return [
        Figure(
            name="audio without the report",
            value=median(audio / off.seconds for off, _ in pairs),
            unit="times real time",
        ),
        Figure(
            name="jobs/s with the report, over without",
            value=median(off.seconds / on.seconds for off, on in pairs),
        ),
        Figure(
            name="processor time with the report, over without",
            value=median(on.work / off.work for off, on in pairs),
        ),
        Figure(
            name="processor time of the quality service for an hour of audio",
            value=median(3600 * on.processor[QUALITY] / audio for _, on in pairs),
            unit="s",
        ),
        Figure(
            name="jobs that have the report",
            value=100 * made / (jobs * len(pairs)),
            unit="%",
        ),
    ]


if __name__ == "__main__":
    app()
