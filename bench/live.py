"""Live streams that a machine holds with Whisper: how soon finals come, and how right they are.

Real sentences with pauses are spoken at real time by a process of its own, through a gateway, to
ASR services with a real model. The latency of a final counts from the last loud 10 ms before it,
and so holds the silence that ends an utterance.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench.bare import BareWhisper
from bench.live_load import Run, run
from bench.live_measures import (
    Measured,
    growth_figures,
    joined,
    latency_figures,
    measure,
    run_figures,
    taken_back,
    thread_figures,
    word_error,
)
from bench.live_streams import Stream, spoken_stream
from bench.meshes import data_folder, live_mesh, pids_of
from bench.report import Figure, JsonOption, Report, note
from maie_asr.live.listening import SileroDetector
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_cli.mesh.parts import GATEWAY
from maie_core.models import model_store
from maie_speech.turns import turn_rules

MODEL = "whisper-tiny.en"
# What the finals may be worse by than the same engine on the whole recording, in words of 100.
MAX_POINTS = 2.0
# Streams that are compared with it: it takes about a tenth of their length.
COMPARED = 8
ASR = (sys.executable, "-m", "bench._named_threads", "maie_asr")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    streams: Annotated[int, typer.Option(help="How many streams.")] = 20,
    seconds: Annotated[float, typer.Option(help="How long each is.")] = 90.0,
    model: Annotated[Path | None, typer.Option(help=f"A model; {MODEL} where unset.")] = None,
    eager: Annotated[float, typer.Option(help="Silence to decode ahead after; 0: never.")] = 0.2,
    interval: Annotated[float, typer.Option(help="Seconds between two partials.")] = 1.0,
    promise: Annotated[float, typer.Option(help="The most milliseconds of p95.")] = 900.0,
    services: Annotated[int, typer.Option(help="The number of ASR processes.")] = 1,
    setting: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of a part.")] = None,
    compared: Annotated[int, typer.Option(help="Streams to compare with files.")] = COMPARED,
    threads: Annotated[bool, typer.Option(help="Processor time by thread.")] = False,
    growth: Annotated[bool, typer.Option(help="The course of the memory.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prints how soon the finals of so many streams come."""
    own = {
        "MAIE_ASR_LIVE_TRACKS": str(streams),
        "MAIE_ASR_LIVE_EAGER_SILENCE_SECONDS": str(eager),
        "MAIE_ASR_LIVE_PARTIAL_INTERVAL_SECONDS": str(interval),
        "MAIE_ASR_WHISPER_MODEL_PATH": str(
            model or model_store(AsrSettings().mesh.models_dir) / MODEL
        ),
        "MAIE_ASR_WHISPER_CPU_THREADS": "1",
        "MAIE_ASR_SLOTS": "1",
        **dict(each.split("=", 1) for each in setting or ()),
    }
    spoken = [spoken_stream(number, seconds) for number in range(streams)]
    done, found = asyncio.run(_measure(spoken, own, services))
    note("the same streams as files")
    error = _errors(done, spoken[:compared], Path(own["MAIE_ASR_WHISPER_MODEL_PATH"]))
    Report(
        bench="live",
        measured=f"{streams} live streams of real speech, {seconds:g} s each",
        settings={"services": services, **own},
        figures=[
            *latency_figures("end of speech to final", found.finals, p95=promise),
            *latency_figures("end of speech to the message that shows it", found.shown),
            *latency_figures("message that shows the end to final", found.added),
            *latency_figures("audio to partial", found.partials),
            *_partial_figures(done, found),
            *error,
            *run_figures(done, found),
            *(growth_figures(done) if growth else ()),
            *(thread_figures(done) if threads else ()),
        ],
    ).print(as_json)


async def _measure(
    spoken: Sequence[Stream], own: dict[str, str], services: int
) -> tuple[Run, Measured]:
    detector = SileroDetector()
    silence = float(own["MAIE_ASR_LIVE_EAGER_SILENCE_SECONDS"])
    threshold = own.get("MAIE_ASR_LIVE_THRESHOLD")
    rules = turn_rules(
        eager_silence_seconds=silence, threshold=float(threshold) if threshold else None
    )
    note("the utterances that the streams have")
    expected = [stream.expected(detector, rules) for stream in spoken]
    with data_folder() as data:
        async with live_mesh(data / "mesh", own, workers=services, command=ASR) as parts:
            note(f"{len(spoken)} streams")
            done = await run(spoken, parts[GATEWAY].part.address, pids_of(parts), data / "load")
    return done, measure(done.heard, expected)


def _partial_figures(done: Run, found: Measured) -> list[Figure]:
    return [
        Figure(
            name="partials for each second of speech",
            value=len(found.partials) / found.speech if found.speech else 0.0,
        ),
        Figure(
            name="words of partials taken back",
            value=100 * taken_back(done.heard, stable=False),
            unit="%",
        ),
        Figure(
            name="stable words taken back",
            value=100 * taken_back(done.heard, stable=True),
            unit="%",
        ),
    ]


def _errors(done: Run, spoken: Sequence[Stream], model: Path) -> list[Figure]:
    """How right the finals are, against what was said and against the engine on whole files."""
    whole = [heard for heard in done.heard[: len(spoken)] if not heard.error]
    if len(whole) < len(spoken) or not spoken:
        return []
    settings = AsrSettings(whisper=WhisperSettings(model_path=model))
    engine = BareWhisper(settings, threads=1)
    said, live = [stream.text for stream in spoken], [joined(heard) for heard in whole]
    files = [engine.text(stream.samples) for stream in spoken]
    of_live, of_files = 100 * word_error(said, live), 100 * word_error(said, files)
    return [
        Figure(
            name="wrong words of finals", value=of_live, unit="%", at_most=of_files + MAX_POINTS
        ),
        Figure(name="wrong words of the same engine on files", value=of_files, unit="%"),
        Figure(
            name="words of finals that differ from the files' text",
            value=100 * word_error(files, live),
            unit="%",
        ),
    ]


if __name__ == "__main__":
    app()
