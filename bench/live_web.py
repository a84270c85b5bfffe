"""Live streams of browsers: what a WebSocket through the web part adds to gRPC.

The same streams are spoken twice at one mesh, straight to its gateway and through its web part,
with an engine that answers at once. All parts and both loads are processes of their own.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from bench.live_load import MICROPHONES, run
from bench.live_measures import latency_figures, measure, run_figures
from bench.live_streams import toned_stream
from bench.meshes import data_folder, live_mesh, pids_of
from bench.report import Figure, JsonOption, Report, note
from maie_cli.mesh.parts import GATEWAY, WEB
from maie_speech.turns import turn_rules
from tests.live_engine import LoudnessDetector

BROWSERS = (sys.executable, "-m", "bench._live_web_load")
WAYS = {"gRPC": (GATEWAY, MICROPHONES), "WebSocket": (WEB, BROWSERS)}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    streams: Annotated[int, typer.Option(help="How many streams.")] = 100,
    seconds: Annotated[float, typer.Option(help="How long each is.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Prints what finals and partials need over either way."""
    asyncio.run(_measure(streams, seconds)).print(as_json)


async def _measure(count: int, seconds: float) -> Report:
    spoken = [toned_stream(number, seconds) for number in range(count)]
    detector = LoudnessDetector()
    expected = [stream.expected(detector, turn_rules()) for stream in spoken]
    settings = {"MAIE_ASR_LIVE_TRACKS": str(count)}
    figures: list[Figure] = []
    with data_folder() as data:
        command = (sys.executable, "-m", "tests.live_engine")
        async with live_mesh(data / "mesh", settings, command=command, web=True) as parts:
            for way, (part, load) in WAYS.items():
                note(f"{count} streams of {seconds:g} s over {way}")
                address = parts[part].part.address
                done = await run(spoken, address, pids_of(parts), data / way, command=load)
                found = measure(done.heard, expected)
                figures += [
                    *latency_figures(f"{way}: added to a final", found.added),
                    *latency_figures(f"{way}: added to a partial", found.partials),
                    *(
                        each
                        for each in run_figures(done, found)
                        if "memory" not in each.name or each.name.startswith(WEB)
                    ),
                ]
    return Report(
        bench="live_web",
        measured=f"{count} live streams in messages of 100 ms, to the gateway and through the web "
        "part, with an engine that answers at once",
        settings={"streams": count, "seconds": seconds},
        figures=figures,
    )


if __name__ == "__main__":
    app()
