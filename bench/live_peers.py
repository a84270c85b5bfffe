"""Other products for live speech beside maie: the same machine, streams and weights, in one run.

`make bench-live_peers` installs them from PyPI into an environment of their own (.venv-peers).
Each product speaks its own protocol, so what counts is what all of them have: the text that they
call settled. The latency of a sentence counts from its last loud 10 ms until that text holds its
last word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from bench.live_load import Run, run
from bench.live_streams import Stream, spoken_stream
from bench.meshes import ROOT, data_folder, live_mesh, pids_of
from bench.peers.products import PRODUCTS, PYTHON, Product, running
from bench.peers.settling import Settling, finals_as_settled, settling
from bench.readings import long_reading, write_wav
from bench.report import Figure, JsonOption, Report, note
from maie_asr.settings import AsrSettings
from maie_cli.load.percentiles import percentile
from maie_cli.mesh.parts import GATEWAY
from maie_core.models import model_store

MODEL = "whisper-tiny.en"
MAIE = "maie"
# Nobody speaks any more and the microphone is still open: time to settle the last sentence.
OPEN_SECONDS = 10.0
LOAD = ROOT / "bench" / "peers" / "_speak.py"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    streams: Annotated[list[int], typer.Option(help="How many streams; more than once.")] = [1, 2],  # noqa: B006 # typer copies it
    seconds: Annotated[float, typer.Option(help="How long each speaks.")] = 40.0,
    as_json: JsonOption = False,
) -> None:
    """Prints how soon sentences are settled, for each product and number of streams."""
    model = model_store(AsrSettings().mesh.models_dir) / MODEL
    figures: list[Figure] = []
    for count in streams:
        spoken = [spoken_stream(number, seconds, OPEN_SECONDS) for number in range(count)]
        middles = {}
        for name, done in asyncio.run(_all(spoken, model)):
            found = settling(done.heard, spoken)
            middles[name] = median(found.seconds) if found.seconds else float("inf")
            figures += _figures(f"{name}, {count} streams", found, done)
        others = min(middle for name, middle in middles.items() if name != MAIE)
        figures.append(
            Figure(
                name=f"{count} streams: the best other product's p50 over maie's",
                value=others / middles[MAIE],
                at_least=1.0,
            )
        )
    Report(
        bench="live_peers",
        measured="live streams of real speech through several products",
        settings={"model": MODEL, "seconds": seconds},
        figures=figures,
    ).print(as_json)


async def _all(spoken: Sequence[Stream], model: Path) -> list[tuple[str, Run]]:
    found = [(MAIE, await _maie(spoken, model))]
    for product in PRODUCTS:
        found.append((product.name, await _other(product, spoken, model)))
    return found


async def _maie(spoken: Sequence[Stream], model: Path) -> Run:
    note(f"{MAIE}, {len(spoken)} streams")
    own = {
        "MAIE_ASR_WHISPER_MODEL_PATH": str(model),
        "MAIE_ASR_WHISPER_CPU_THREADS": "1",
        "MAIE_ASR_SLOTS": "1",
    }
    with data_folder() as data:
        async with live_mesh(data / "mesh", own) as parts:
            done = await run(spoken, parts[GATEWAY].part.address, pids_of(parts), data / "load")
    done.heard = [finals_as_settled(heard) for heard in done.heard]
    return done


async def _other(product: Product, spoken: Sequence[Stream], model: Path) -> Run:
    note(f"{product.name}, {len(spoken)} streams")
    command = (str(PYTHON), str(LOAD), product.name)
    with data_folder() as data:
        write_wav(data / "warm-up.wav", long_reading(1))
        async with running(product, model, data / "warm-up.wav", data) as (address, pid):
            pids = {product.name: pid}
            return await run(spoken, address, pids, data / "load", command=command)


def _figures(name: str, found: Settling, done: Run) -> list[Figure]:
    points = {"p50": 50, "p95": 95, "max": 100} if found.seconds else {}
    figures = [
        Figure(name=f"{name}: {point}", value=1000 * percentile(found.seconds, percent), unit="ms")
        for point, percent in points.items()
    ]
    errors = {heard.error for heard in done.heard if heard.error}
    for error in sorted(errors):
        note(f"{name}: {error}")
    memory = sum(end for part, (_, _, end) in done.memory.items() if part != "load")
    cores = sum(used for part, used in done.cores.items() if part != "load")
    return [
        *figures,
        Figure(name=f"{name}: sentences without a settled word", value=found.missing),
        Figure(name=f"{name}: wrong words", value=100 * found.error, unit="%"),
        Figure(name=f"{name}: streams refused or broken", value=len(errors)),
        Figure(name=f"{name}: cores used", value=cores),
        Figure(name=f"{name}: memory at the end", value=memory, unit="MB"),
        Figure(name=f"{name}: the machine's share of others", value=done.others),
    ]


if __name__ == "__main__":
    app()
