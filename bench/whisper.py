"""The engine whisper in the service, against faster-whisper by itself; and requests in one batch.

Both sides of the first figure read the same chunk in this process with the same parameters and the
same threads, in turn. The service's side is the whole stage: the plan and the audio come from the
object store, the segments leave as messages of the contract, and texts nobody spoke are looked for.
For the second, eight requests of one or two sentences are read one after another, side by side, and
joined into batches.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer
from faster_whisper import BatchedInferencePipeline, WhisperModel

from bench.meshes import data_folder
from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from maie.asr.v1 import asr_pb2 as asr
from maie_asr.engine import SAMPLE_RATE, Samples
from maie_asr.engines.whisper.model import AUTO_COMPUTE_TYPES
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_asr.stage import TranscribeStage, open_stage
from maie_asr.vad import VoiceActivity
from maie_runtime.blobs import Blobs
from tests.asr.recordings import (
    BUG_AND_BUDGET,
    SCHEDULE,
    TINY_WHISPER,
    chunk_request,
    read_audio,
    store_plan,
)
from tests.asr.running import context

MAX_RATIO = 1.05
# A request for a chunk, and the store that the chunk is in.
Chunk = tuple[asr.TranscribeRequest, Blobs]
PAUSE = np.zeros(SAMPLE_RATE, np.int16)


@dataclass(kw_only=True, frozen=True, slots=True)
class Taken:
    """What something took, in seconds: by the clock, and of all processors together."""

    wall: float
    cpu: float


class Stopwatch:
    """Runs from when it was made."""

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def read(self) -> Taken:
        """What has passed since."""
        return Taken(wall=time.perf_counter() - self._wall, cpu=time.process_time() - self._cpu)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    model: Annotated[Path, typer.Option(help="A CTranslate2 Whisper model.")] = TINY_WHISPER,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of one call on a CPU.")] = 1,
    seconds: Annotated[float, typer.Option(help="How long the chunk is at least.")] = 120.0,
    requests: Annotated[int, typer.Option(help="How many short requests come at once.")] = 8,
    pairs: Annotated[int, typer.Option(help="How often each side runs, in turn.")] = 7,
    as_json: JsonOption = False,
) -> None:
    """Prints the ratio of the medians, and what batches gain."""
    whisper = WhisperSettings(
        model_path=model,
        device="cuda" if device == "cuda" else "cpu",
        cpu_threads=threads,
        # The tiny model knows single sentences only, and windows with context do not batch.
        condition_on_previous_text=False,
    )
    asyncio.run(_main(whisper, seconds, requests, pairs, as_json))


async def _main(
    whisper: WhisperSettings, seconds: float, requests: int, pairs: int, as_json: bool
) -> None:
    others = Others()
    with data_folder() as data:
        long = _long_recording(seconds)
        chunk = await _stored(data / "long", long)
        short = [
            await _stored(data / str(number), read_audio((BUG_AND_BUDGET, SCHEDULE)[number % 2]))
            for number in range(requests)
        ]
        service, bare = await _against_bare(whisper, chunk, long, pairs)
        alone, concurrent, joined = await _together(whisper, short, pairs)
    Report(
        bench="whisper",
        measured="The engine whisper in the service against faster-whisper by itself, and short "
        "requests one by one, concurrent and in batches.",
        settings={
            "model": whisper.model_path.name if whisper.model_path else "",
            "device": whisper.device,
            "compute_type": AUTO_COMPUTE_TYPES[whisper.device],
            "threads": whisper.cpu_threads,
            "chunk_seconds": seconds,
            "requests": requests,
            "pairs": pairs,
        },
        figures=[
            Figure(name="in the service, median", value=_wall(service), unit="s"),
            Figure(name="faster-whisper by itself, median", value=_wall(bare), unit="s"),
            Figure(name="ratio", value=_wall(service) / _wall(bare), at_most=MAX_RATIO),
            Figure(
                name="ratio of the best runs",
                value=min(each.wall for each in service) / min(each.wall for each in bare),
            ),
            Figure(
                name="ratio by processor time",
                value=_cpu(service) / _cpu(bare),
            ),
            Figure(name=f"{requests} short requests one by one", value=_wall(alone), unit="s"),
            Figure(name="concurrent, not joined", value=_wall(concurrent), unit="s"),
            Figure(name="joined into batches", value=_wall(joined), unit="s"),
            Figure(name="gain of batches over one by one", value=_wall(alone) / _wall(joined)),
            Figure(name="the same by processor time", value=_cpu(alone) / _cpu(joined)),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    ).print(as_json)


async def _against_bare(
    whisper: WhisperSettings, chunk: Chunk, samples: Samples, pairs: int
) -> tuple[list[Taken], list[Taken]]:
    service: list[Taken] = []
    bare: list[Taken] = []
    async with _stage(whisper, slots=1) as stage:
        text, arguments = await _read(stage, chunk)
        model = WhisperModel(
            str(whisper.model_path),
            device=whisper.device,
            compute_type=AUTO_COMPUTE_TYPES[whisper.device],
            cpu_threads=whisper.cpu_threads,
            local_files_only=True,
        )
        _same([_bare(model, samples, arguments)], [text])
        for number in range(pairs):
            for side in ("service", "bare") if number % 2 else ("bare", "service"):
                stopwatch = Stopwatch()
                if side == "service":
                    await _read(stage, chunk)
                    service.append(stopwatch.read())
                else:
                    await asyncio.to_thread(_bare, model, samples, arguments)
                    bare.append(stopwatch.read())
            note(f"pair {number + 1}: service {service[-1].wall:.3f} s, bare {bare[-1].wall:.3f} s")
    return service, bare


async def _together(
    whisper: WhisperSettings, requests: Sequence[Chunk], pairs: int
) -> tuple[list[Taken], list[Taken], list[Taken]]:
    alone: list[Taken] = []
    concurrent: list[Taken] = []
    joined: list[Taken] = []
    async with AsyncExitStack() as stack:
        plain, batching = [
            await stack.enter_async_context(
                _stage(whisper.model_copy(update={"cross_batch_size": size}), slots=len(requests))
            )
            for size in (1, len(requests))
        ]
        for number in range(pairs + 1):
            stopwatch = Stopwatch()
            one_by_one = [await _read(plain, request) for request in requests]
            alone.append(stopwatch.read())
            stopwatch = Stopwatch()
            _same(one_by_one, await asyncio.gather(*(_read(plain, r) for r in requests)))
            concurrent.append(stopwatch.read())
            stopwatch = Stopwatch()
            _same(one_by_one, await asyncio.gather(*(_read(batching, r) for r in requests)))
            joined.append(stopwatch.read())
            note(
                f"round {number}: one by one {alone[-1].wall:.3f} s, "
                f"concurrent {concurrent[-1].wall:.3f} s, joined {joined[-1].wall:.3f} s"
            )
    # The first round warms up.
    return alone[1:], concurrent[1:], joined[1:]


@asynccontextmanager
async def _stage(whisper: WhisperSettings, slots: int) -> AsyncIterator[TranscribeStage]:
    settings = AsrSettings(engine="whisper", slots=slots, whisper=whisper)
    async with open_stage(settings, Blobs("memory://")) as stage:
        yield stage


async def _read(stage: TranscribeStage, chunk: Chunk) -> tuple[str, dict[str, Any]]:
    """The text of a request, and the arguments that it was read with."""
    request, blobs = chunk
    last = asr.TranscribeResponse()
    async with aclosing(stage.run(request, context(blobs))) as run:
        async for response in run:
            last = response
    read = last.result
    arguments = {
        name: json.loads(value)
        for name, value in read.asr_engine.parameters.items()
        if not name.startswith(("suspect_text.", "reread.")) and name != "reproducible"
    }
    # What was left out was read too.
    texts = [
        *(segment.text for segment in read.segments),
        *(suspect.text for suspect in read.suspect_texts),
    ]
    return " ".join(texts), arguments


def _bare(model: WhisperModel, samples: Samples, arguments: dict[str, Any]) -> str:
    audio = samples.astype(np.float32) / 32768
    reader = BatchedInferencePipeline(model) if "batch_size" in arguments else model
    segments, _ = reader.transcribe(audio, **arguments)
    return " ".join(segment.text.strip() for segment in segments)


def _wall(times: Sequence[Taken]) -> float:
    return median(each.wall for each in times)


def _cpu(times: Sequence[Taken]) -> float:
    return median(each.cpu for each in times)


def _long_recording(seconds: float) -> Samples:
    once = np.concatenate([read_audio(BUG_AND_BUDGET), PAUSE, read_audio(SCHEDULE), PAUSE])
    return np.tile(once, int(seconds * SAMPLE_RATE) // len(once) + 1)


async def _stored(folder: Path, samples: Samples) -> Chunk:
    blobs = Blobs(f"file://{folder}")
    plan = await store_plan(blobs, samples, [VoiceActivity(samples).find_speech()])
    return chunk_request(plan, 0), blobs


def _same(one: Sequence[object], other: Sequence[object]) -> None:
    """Figures of sides that did different work would mean nothing."""
    if list(one) != list(other):
        raise RuntimeError("The two sides read different texts.")


if __name__ == "__main__":
    app()
