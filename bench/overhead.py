"""A recording through the mesh, against the bare library on the whole file.

The library is faster-whisper with the same model and the same arguments, in this process. On both
sides the model is loaded before the clock starts. The mesh's time runs from the first byte of the
upload to the transcript at the client. Each side is idle while the other one runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from bench.bare import BareWhisper, words_of
from bench.meshes import AS_ASKED, data_folder, through_mesh
from bench.others import Others
from bench.readings import long_reading, write_wav
from bench.report import Figure, JsonOption, Report, note
from maie_asr.settings import AsrSettings
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_client import Client
from maie_core.models import DEFAULT_WHISPER
from maie_runtime.worker.cores import usable_cores

FEATURES = ("raw_transcript",)
MAX_RATIO = 1.03
MAX_RATIO_OF_DEFAULTS = 0.75
# What a mesh reads in one chunk at most.
MAX_SECONDS = 1800.0
# Chunks are read without the text before them, which changes a word here and there.
MIN_ALIKE = 0.97
ONE_THREAD = {
    "MAIE_ASR_ENGINE": "whisper",
    "MAIE_ASR_SLOTS": "1",
    "MAIE_ASR_WHISPER_CPU_THREADS": "1",
}


@dataclass(kw_only=True, frozen=True, slots=True)
class Sides:
    """What both sides took.

    Attributes:
        mesh: Seconds of the mesh.
        library: Seconds of the library, by its threads.
        alike: How much of the texts was the same at least, 0 to 1: figures of sides that did
            different work mean nothing.
    """

    mesh: list[float]
    library: dict[int, list[float]]
    alike: float


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    seconds: Annotated[
        float, typer.Option(max=MAX_SECONDS - 60, help="How long the recording is at least.")
    ] = 360.0,
    pairs: Annotated[int, typer.Option(help="How often each side runs, in turn.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Prints how long the mesh takes over how long the library takes, in two settings."""
    asyncio.run(_main(seconds, pairs, as_json))


async def _main(seconds: float, pairs: int, as_json: bool) -> None:
    others, settings = Others(), AsrSettings()
    with data_folder() as data:
        recording = data / "recording.wav"
        reading = long_reading(seconds)
        write_wav(recording, reading)
        whole = {"MAIE_PREPROCESS_CHUNK_SECONDS": str(MAX_SECONDS), **ONE_THREAD}
        one = await _compare(data / "one", whole, [1], recording, pairs)
        default = {"MAIE_ASR_ENGINE": "whisper"}
        threads = sorted({1, usable_cores()})
        all_ = await _compare(data / "default", default, threads, recording, pairs)
    best = min(all_.library, key=lambda each: median(all_.library[each]))
    Report(
        bench="overhead",
        measured="One recording of real speech through a mesh, to its raw transcript, against the "
        "bare library with the same model and arguments on the whole file.",
        settings={
            "model": (settings.whisper.model_path or Path(DEFAULT_WHISPER)).name,
            "recording_seconds": round(reading.seconds, 1),
            "pairs": pairs,
            "threads_of_the_library_at_its_best": best,
        },
        figures=[
            Figure(name="one chunk, one thread: mesh, median", value=median(one.mesh), unit="s"),
            Figure(name="the library, one thread", value=median(one.library[1]), unit="s"),
            *_ratios("one chunk", one.mesh, one.library[1], MAX_RATIO),
            Figure(name="one chunk: text that is the same", value=one.alike, at_least=MIN_ALIKE),
            Figure(name="with the defaults: mesh, median", value=median(all_.mesh), unit="s"),
            *(
                Figure(name=f"the library, threads: {each}", value=median(taken), unit="s")
                for each, taken in all_.library.items()
            ),
            *_ratios("the defaults", all_.mesh, all_.library[best], MAX_RATIO_OF_DEFAULTS),
            Figure(
                name="the defaults: text that is the same", value=all_.alike, at_least=MIN_ALIKE
            ),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    ).print(as_json)


def _ratios(what: str, mesh: list[float], library: list[float], most: float) -> list[Figure]:
    return [
        Figure(name=f"{what}: ratio", value=median(mesh) / median(library), at_most=most),
        Figure(name=f"{what}: ratio of the best runs", value=min(mesh) / min(library)),
    ]


async def _compare(
    data: Path, environment: Mapping[str, str], threads: list[int], recording: Path, pairs: int
) -> Sides:
    """Lets the mesh and the library, with each number of threads, read in turn."""
    meshed: list[float] = []
    alike: list[float] = []
    bare: dict[int, list[float]] = {each: [] for each in threads}
    models = {each: BareWhisper(AsrSettings(), each) for each in threads}
    options = MeshOptions(data=data, port_base=0, environment={**AS_ASKED, **environment})
    async with LocalMesh(options, note) as mesh, Client(mesh.gateway) as client:
        for number in range(pairs):
            # Whichever goes first may find the machine busier: they take turns at that too.
            for side in (0, *threads) if number % 2 == 0 else (*threads, 0):
                if side == 0:
                    taken, transcribed = await _through_mesh(client, recording)
                    meshed.append(taken)
                else:
                    taken, read = await asyncio.to_thread(models[side].read, recording)
                    bare[side].append(taken)
            alike.append(_alike(transcribed, read))
            library = ", ".join(f"{bare[each][-1]:.2f} s ({each})" for each in threads)
            note(f"pair {number + 1}: mesh {meshed[-1]:.2f} s, library (threads) {library}")
    return Sides(mesh=meshed, library=bare, alike=min(alike))


async def _through_mesh(client: Client, recording: Path) -> tuple[float, list[str]]:
    """Seconds from the upload's begin to the transcript, and its words."""
    seconds, results = await through_mesh(client, recording, features=FEATURES)
    return seconds, words_of(results.raw_transcript)


def _alike(transcribed: list[str], read: list[str]) -> float:
    """How much of two texts is the same, 0 to 1."""
    return SequenceMatcher(a=transcribed, b=read, autojunk=False).ratio()


if __name__ == "__main__":
    app()
