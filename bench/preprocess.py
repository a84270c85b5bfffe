"""Preprocess on a long recording: how many times real time on one core, and how much memory.

The stage runs in this process, its decoder in another; both are held to one core. The recording
is made of the sample by a process of its own, so that what making it takes is not counted.
Memory is what both processes have resident, pages that they share counted once.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import resource
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import psutil
import typer

# What a service has loaded too, so that its memory counts.
import maie_runtime.worker.server  # noqa: F401
from bench.report import Figure, JsonOption, Report
from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import open_stage
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext

MIN_SPEED = 200
MAX_PEAK_MB = 250
POLL_SECONDS = 0.2

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Kind(StrEnum):
    """What kind of file the recording is."""

    WAV = "wav"
    MP3 = "mp3"
    M4A = "m4a"
    WEBM = "webm"


@app.command()
def main(
    hours: Annotated[float, typer.Option(help="How long the recording is at least.")] = 4.0,
    kind: Annotated[Kind, typer.Option(help="WAV is 16 kHz mono, the others stereo.")] = Kind.WAV,
    core: Annotated[int, typer.Option(help="The core that all of it runs on.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Prints the speed and the peak memory of stage and decoder together."""
    with TemporaryDirectory(prefix="maie-bench-") as folder:
        asyncio.run(_main(Path(folder), hours, kind, core, as_json))


async def _main(folder: Path, hours: float, kind: Kind, core: int, as_json: bool) -> None:
    path = folder / f"recording.{kind}"
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as maker:
        maker.submit(make_recording, path, hours * 3600, kind).result()
    blobs = Blobs((folder / "blobs").as_uri())
    recording = await _store(blobs, path)
    os.sched_setaffinity(0, {core})
    begin, processor = time.perf_counter(), _processor_seconds()
    async with _peak_memory() as peak:
        result = await _preprocess(recording, blobs, folder)
    wall, processor = time.perf_counter() - begin, _processor_seconds() - processor
    seconds = result.duration.ToTimedelta().total_seconds()
    Report(
        bench="preprocess",
        measured="The preprocess stage and its decoder on one core, with a file store.",
        settings={
            "recording_seconds": seconds,
            "kind": kind.value,
            "megabytes": round(recording.size_bytes / 1e6, 1),
            "chunks": len(result.chunks),
        },
        figures=[
            Figure(name="speed", value=seconds / wall, unit="x", at_least=MIN_SPEED),
            Figure(name="speed by processor time", value=seconds / processor, unit="x"),
            Figure(name="peak memory", value=peak.both / 1e6, unit="MB", at_most=MAX_PEAK_MB),
            Figure(name="peak resident, summed", value=peak.resident / 1e6, unit="MB"),
            Figure(name="peak resident, decoder", value=peak.decoder / 1e6, unit="MB"),
        ],
    ).print(as_json)


def make_recording(path: Path, seconds: float, kind: Kind) -> None:
    """Writes the sample, as often as it takes, to a file of a kind."""
    # In the process that makes the recording and in no other.
    from bench import recordings

    if kind is Kind.WAV:
        recordings.repeated_sample(path, seconds)
    else:
        _write_encoded(path, seconds)


def _write_encoded(path: Path, seconds: float) -> None:
    """Encodes the sample once and writes its packets over and over."""
    import av

    from bench import recordings

    rate = 48_000
    with av.open(str(recordings.SAMPLE)) as sample, av.open(str(path), "w") as output:
        stream = output.add_stream(
            {"mp3": "libmp3lame", "m4a": "aac", "webm": "libopus"}[path.suffix[1:]], rate=rate
        )
        assert isinstance(stream, av.AudioStream)
        stream.layout = "stereo"
        stream.bit_rate = 128_000
        stream.codec_context.open()
        resampler = av.AudioResampler(
            stream.format.name, "stereo", rate, frame_size=stream.codec_context.frame_size
        )
        frames = [piece for frame in sample.decode(audio=0) for piece in resampler.resample(frame)]
        packets = [packet for frame in frames for packet in stream.encode(frame)]
        # A copy each time, since a packet can be written once only.
        once = [(bytes(packet), packet.duration or 0) for packet in packets]
        place = 0
        while place < seconds * rate:
            for data, duration in once:
                packet = av.Packet(data)
                packet.stream, packet.time_base = stream, packets[0].time_base
                packet.pts = packet.dts = place
                packet.duration = duration
                place += duration
                output.mux(packet)


async def _store(blobs: Blobs, path: Path) -> common.Blob:
    async with blobs.writer("recording") as target:
        with path.open("rb") as source:
            while piece := source.read(1 << 20):
                await target.write(piece)
    return target.blob()


async def _preprocess(recording: common.Blob, blobs: Blobs, folder: Path) -> pb.PreprocessResult:
    request = pb.PreprocessRequest(recording=recording)
    context = StageContext(
        job_id="bench", unit="preprocess", attempt=1, blobs=blobs, folder="direct/bench"
    )
    async with (
        open_stage(PreprocessSettings(temp_dir=folder)) as stage,
        aclosing(stage.run(request, context)) as responses,
    ):
        seen = [response async for response in responses]
    return seen[-1].result


@dataclass
class _Peak:
    """The most bytes that were in memory at once."""

    both: int = 0
    """Stage, fork server and decoder, pages that they share counted once."""
    resident: int = 0
    """All three, shared pages counted for each."""
    decoder: int = 0
    """Fork server and decoder, shared pages counted for each."""

    def add(self, this: psutil.Process) -> None:
        """Looks once."""
        # The fork server too.
        decoders = this.children(recursive=True)
        seen = [_memory(process) for process in (this, *decoders)]
        self.both = max(self.both, sum(proportional for proportional, _ in seen))
        self.resident = max(self.resident, sum(resident for _, resident in seen))
        self.decoder = max(self.decoder, sum(resident for _, resident in seen[1:]))


def _memory(process: psutil.Process) -> tuple[int, int]:
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0, 0  # It ended between the listing and the look.
    return memory.pss, memory.rss


@contextlib.asynccontextmanager
async def _peak_memory() -> AsyncIterator[_Peak]:
    """Gives a peak that grows while the context lasts."""
    peak, this = _Peak(), psutil.Process()

    async def poll() -> None:
        while True:
            peak.add(this)
            await asyncio.sleep(POLL_SECONDS)

    polling = asyncio.create_task(poll())
    try:
        yield peak
    finally:
        polling.cancel()


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    app()
