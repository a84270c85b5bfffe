"""Preprocess on short recordings: the processor time of each, once the service runs.

Such a recording is mostly overhead: a decoding process that starts, confines itself and ends.
"""

from __future__ import annotations

import asyncio
import io
import time
import wave
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import psutil
import typer

from bench.recordings import repeated_sample
from bench.report import Figure, JsonOption, Report
from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_audio.fork_server import ForkServer
from maie_preprocess.decoding import PROGRAM
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import PreprocessStage, open_stage_with
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    seconds: Annotated[float, typer.Option(help="How long each recording is.")] = 5.0,
    count: Annotated[int, typer.Option(help="How many there are, one after another.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Prints the processor time of a recording, in the service and in its decoding processes."""
    with TemporaryDirectory(prefix="maie-bench-") as folder:
        asyncio.run(_main(Path(folder), seconds, count, as_json))


async def _main(folder: Path, seconds: float, count: int, as_json: bool) -> None:
    blobs = Blobs((folder / "blobs").as_uri())
    request = pb.PreprocessRequest(recording_content=_beginning(seconds, folder))
    with ForkServer(PROGRAM) as fork_server:
        async with open_stage_with(fork_server, PreprocessSettings(temp_dir=folder)) as stage:
            await _preprocess(stage, request, blobs)
            assert fork_server.pid is not None
            decoders = psutil.Process(fork_server.pid)
            start = sum(decoders.cpu_times()[:4])
            own = time.process_time()
            for _ in range(count):
                await _preprocess(stage, request, blobs)
            own = time.process_time() - own
            decoding = sum(decoders.cpu_times()[:4]) - start
    Report(
        bench="short_recordings",
        measured="Short recordings through the preprocess stage, one after another.",
        settings={"seconds": seconds, "count": count},
        figures=[
            Figure(name="service, a recording", value=own / count * 1000, unit="ms"),
            Figure(name="decoding process, a recording", value=decoding / count * 1000, unit="ms"),
            Figure(name="fork server and first recording", value=start * 1000, unit="ms"),
        ],
    ).print(as_json)


def _beginning(seconds: float, folder: Path) -> bytes:
    """The beginning of the sample, as WAV."""
    whole = folder / "sample.wav"
    repeated_sample(whole, seconds)
    target = io.BytesIO()
    with wave.open(str(whole)) as sample, wave.open(target, "wb") as cut:
        cut.setparams(sample.getparams())
        cut.writeframes(sample.readframes(round(seconds * sample.getframerate())))
    return target.getvalue()


async def _preprocess(stage: PreprocessStage, request: pb.PreprocessRequest, blobs: Blobs) -> None:
    context = StageContext(
        job_id="bench", unit="preprocess", attempt=1, blobs=blobs, folder="direct/bench"
    )
    async with aclosing(stage.run(request, context)) as responses:
        async for _ in responses:
            pass


if __name__ == "__main__":
    app()
