"""How time and memory grow with the length of a recording: `make bench-diarization.lengths`.

A conversation of ten minutes is repeated until a recording is long enough. The diarization stage
listens to each of its chunks once, which is the map step, at most one chunk at a time; what it
finds is repeated, and the reduce step then compares the voices of all chunks.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from bench.diarization.recordings import Case, generated, write_sound
from bench.diarization.serving import forget_peak, peak_mb
from bench.diarization.sources import VOICES, fetched
from bench.diarization.voices import decoded, real_voices
from bench.readings import SAMPLE_RATE, Audio
from bench.report import Figure, JsonOption, Report, note
from bench.stages import call
from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.durations import duration, seconds
from maie_diarization.settings import DiarizationSettings
from maie_diarization.stage import DiarizeStage, open_stage
from maie_runtime.blobs import Blobs

CHUNK_SECONDS: Final = 60
DISTINCT_SECONDS: Final = 600.0
SPEAKERS: Final = 4
MINUTES = (1, 10, 60, 240)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    voices: Annotated[Path | None, typer.Option(help="SPEAKER/*.flac or *.wav.")] = None,
    minutes: Annotated[list[int] | None, typer.Option(help="Lengths of recordings.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Prints seconds, memory and numbers of speakers by length."""
    people = real_voices(voices or fetched(VOICES), SPEAKERS)
    case = Case(voices="real", speakers=SPEAKERS, seconds=DISTINCT_SECONDS, overlap=0.1)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        sound = decoded(generated(case, people, Path(folder)).path)
        figures = asyncio.run(_measured(sound, minutes or MINUTES, Path(folder)))
    Report(
        bench="diarization.lengths",
        measured="Seconds and memory of the diarization stage, by the length of a recording.",
        settings={"speakers": SPEAKERS, "distinct minutes": round(DISTINCT_SECONDS / 60)},
        figures=figures,
    ).print(as_json)


async def _measured(sound: Audio, minutes: Sequence[int], folder: Path) -> list[Figure]:
    blobs = Blobs(f"file://{folder}")
    async with open_stage(DiarizationSettings(), blobs) as stage:
        forget_peak()
        started = time.process_time()
        heard = [
            await _map(stage, part, place, blobs, folder)
            for place, part in enumerate(_parts(sound))
        ]
        share = (time.process_time() - started) / DISTINCT_SECONDS
        figures = [
            Figure(name="map: processor seconds per second of audio", value=share),
            Figure(name="map: most memory", value=peak_mb(), unit="MB"),
        ]
        for length in minutes:
            note(f"comparing the voices of {length} min")
            figures += await _reduced(stage, heard, length, blobs)
    return figures


def _parts(sound: Audio) -> Iterator[Audio]:
    size = CHUNK_SECONDS * SAMPLE_RATE
    for first in range(0, len(sound), size):
        yield sound[first : first + size]


async def _map(
    stage: DiarizeStage, sound: Audio, place: int, blobs: Blobs, folder: Path
) -> diarization.Voices:
    """What the stage finds in a chunk."""
    start = place * CHUNK_SECONDS
    whole = common.TimeRange(
        start_offset=duration(start), end_offset=duration(start + len(sound) / SAMPLE_RATE)
    )
    path = folder / "part.wav"
    write_sound(path, sound)
    audio = await blobs.put(f"chunk-{place}", path.read_bytes())
    chunk = preprocess.Chunk(range=whole, speech=[whole], audio=audio)
    return await call(stage, diarization.DiarizeRequest(speech_chunk=chunk), blobs)


async def _reduced(
    stage: DiarizeStage, heard: Sequence[diarization.Voices], minutes: int, blobs: Blobs
) -> list[Figure]:
    source = diarization.VoicesSource()
    for place in range(minutes * 60 // CHUNK_SECONDS):
        again, number = divmod(place, len(heard))
        later = _later(heard[number], again * DISTINCT_SECONDS)
        source.parts.append(await blobs.put_message(f"voices-{minutes}-{place}", later))
    forget_peak()
    started = time.process_time()
    made = await call(stage, diarization.DiarizeRequest(voices=source), blobs)
    took = time.process_time() - started
    return [
        Figure(name=f"{minutes} min, reduce: processor time", value=took, unit="s"),
        Figure(name=f"{minutes} min, reduce: most memory", value=peak_mb(), unit="MB"),
        Figure(name=f"{minutes} min: speakers", value=len(made.speakers)),
    ]


def _later(heard: diarization.Voices, by: float) -> diarization.Voices:
    """The same voices in a later chunk."""
    later = diarization.Voices()
    later.CopyFrom(heard)
    spans = [later.chunk.range, *later.chunk.speech]
    for voice in later.voices:
        spans += [voice.window, *voice.turns]
    for span in spans:
        span.start_offset.CopyFrom(duration(seconds(span.start_offset) + by))
        span.end_offset.CopyFrom(duration(seconds(span.end_offset) + by))
    return later


if __name__ == "__main__":
    app()
