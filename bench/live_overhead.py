"""Live streams through everything but a model: what the way itself costs.

A load client, a gateway, a broker and an ASR service whose engine answers at once are processes of
their own. What is added is counted from the message that shows the end of an utterance to its
final, which is stored by then.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from bench.live_load import run
from bench.live_measures import latency_figures, measure, run_figures
from bench.live_streams import toned_stream
from bench.meshes import data_folder, live_mesh, pids_of
from bench.report import Figure, JsonOption, Report, note
from maie_cli.mesh.parts import GATEWAY
from maie_speech.turns import turn_rules
from tests.live_engine import LoudnessDetector

PROMISED_MS = 50.0
PROMISED_MEGABYTES = 1.0
ASR = "asr"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    streams: Annotated[int, typer.Option(help="How many streams.")] = 100,
    seconds: Annotated[float, typer.Option(help="How long each is.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Prints what a stream costs without its engine."""
    asyncio.run(_measure(streams, seconds)).print(as_json)


async def _measure(count: int, seconds: float) -> Report:
    spoken = [toned_stream(number, seconds) for number in range(count)]
    detector = LoudnessDetector()
    expected = [stream.expected(detector, turn_rules()) for stream in spoken]
    settings = {"MAIE_ASR_LIVE_TRACKS": str(count)}
    with data_folder() as data:
        command = (sys.executable, "-m", "tests.live_engine")
        async with live_mesh(data / "mesh", settings, command=command) as parts:
            note(f"{count} streams of {seconds:g} s")
            done = await run(spoken, parts[GATEWAY].part.address, pids_of(parts), data / "load")
    found = measure(done.heard, expected)
    grown = sum(done.memory[name][2] - done.memory[name][0] for name in (GATEWAY, ASR))
    return Report(
        bench="live_overhead",
        measured=f"{count} live streams in messages of 100 ms through a gateway and an engine that "
        "answers at once",
        settings={"streams": count, "seconds": seconds},
        figures=[
            *latency_figures("added to a final", found.added, p99=PROMISED_MS),
            *latency_figures("added to a partial", found.partials),
            Figure(
                name="memory for each stream, gateway and ASR",
                value=grown / count,
                unit="MB",
                at_most=PROMISED_MEGABYTES,
            ),
            *run_figures(done, found),
        ],
    )


if __name__ == "__main__":
    app()
