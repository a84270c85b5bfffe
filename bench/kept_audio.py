"""What it costs to keep the audio of a live session, in processor time and memory.

Parts of ten seconds of the sample are stored for each track, as a gateway does while a session
runs, and put together as at its end; one process, a file store.
"""

from __future__ import annotations

import asyncio
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from bench.recordings import SAMPLE, decode
from bench.report import Figure, JsonOption, Report
from maie.live.v1 import session_pb2 as session
from maie_core.samples import RATE, duration
from maie_gateway.live.kept.flac import Samples
from maie_gateway.live.kept.whole import put_together
from maie_runtime.blobs import Blobs

PART_SECONDS = 10
HOUR = 3600
# Tracks begin one after another.
LATER_MILLISECONDS = 1700
MAX_GROWTH_MB = 40

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    tracks: Annotated[int, typer.Option(min=1, help="How many tracks speak at once.")] = 2,
    minutes: Annotated[int, typer.Option(min=1, help="How long the session is.")] = 60,
    as_json: JsonOption = False,
) -> None:
    """Prints the processor time of parts and whole for an hour, and how memory grew."""
    with TemporaryDirectory(prefix="maie-bench-") as folder:
        report = asyncio.run(_measured(Blobs((Path(folder) / "blobs").as_uri()), tracks, minutes))
    report.print(as_json)


async def _measured(blobs: Blobs, tracks: int, minutes: int) -> Report:
    sample, hours = np.frombuffer(decode(SAMPLE), np.int16), minutes * 60 / HOUR
    begin = time.process_time()
    entries = await _stored(blobs, sample, tracks, minutes * 60)
    stored, memory = time.process_time() - begin, _peak_mb()
    begin = time.process_time()
    made = await put_together("bench", entries, blobs)
    together, growth = time.process_time() - begin, _peak_mb() - memory
    audio = await blobs.get_message(made, session.SessionAudio)
    return Report(
        bench="kept_audio",
        measured="Storing the audio of a live session in parts, and putting it together.",
        settings={"tracks": tracks, "minutes": minutes},
        figures=[
            Figure(name="storing, an hour of a track", value=stored / hours / tracks, unit="s"),
            Figure(name="putting together, an hour", value=together / hours, unit="s"),
            Figure(name="the file, an hour", value=audio.file.size_bytes / 1e6 / hours, unit="MB"),
            Figure(name="growth of memory", value=growth, unit="MB", at_most=MAX_GROWTH_MB),
        ],
    )


async def _stored(
    blobs: Blobs, sample: Samples, tracks: int, seconds: int
) -> list[session.SessionEntry]:
    """Stores the parts; gives the log that names them."""
    entries = []
    for number in range(1, tracks + 1):
        began = session.TrackBegan(number=number)
        began.offset.FromMilliseconds(number * LATER_MILLISECONDS)
        entries.append(session.SessionEntry(track_began=began))
    size = PART_SECONDS * RATE
    for begin in range(0, seconds * RATE, size):
        for number in range(1, tracks + 1):
            place = (begin + number * size // 3) % (len(sample) - size)
            sound = sample[place : place + size].tobytes()
            run = session.AudioRun(start_offset=duration(begin), samples=sound)
            blob = await blobs.put_message(f"live/bench/t{number}", session.AudioPart(runs=[run]))
            mark = session.TrackMark(
                number=number, message_offset=duration(begin + size), audio=blob
            )
            entries.append(session.SessionEntry(settled=session.TracksSettled(marks=[mark])))
    return entries


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    app()
