"""Text as speech: how soon, how fast, and how well our own ASR understands it.

Each sentence is a call of the synthesis stage in this process. What it says is read by
faster-whisper with whisper-base, at 16 kHz; words are compared as they are spoken, so that "9:30"
and "nine thirty" are the same. Word errors hold those of whisper itself, too.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated

import jiwer
import numpy as np
import typer
from faster_whisper import WhisperModel

from bench.report import Figure, JsonOption, Report
from maie.speech.v1 import speech_pb2 as speech
from maie_core.durations import seconds
from maie_core.models import DEFAULT_MODELS_DIR, DEFAULT_WHISPER, model_store
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from maie_synthesis.settings import KokoroSettings, SynthesisSettings
from maie_synthesis.stage import SynthesizeStage, open_stage
from maie_synthesis.text.normaliser import pieces

SENTENCES = (
    "The meeting of the planning group began at 9:30 on May 3, 2024.",
    "We agreed that the new version goes to the first customers next Monday.",
    "The budget grew by 12% to $45,000, and nobody objected.",
    "Sarah will write to the supplier and ask for a better price.",
    "The old building is 250 meters long and was finished in 1984.",
    "If the weather stays dry, the work outside can begin in the morning.",
    "There were three questions about safety, and two of them are still open.",
    "He said that the train from the city takes about 2.5 hours.",
    "Please send me the figures for the second quarter before Friday.",
    "The doctor asked how long the pain had lasted and what made it worse.",
    "A small boat crossed the river while the sun was going down.",
    "Everybody should read the report before the next meeting on October 21.",
)
RATE, WHISPER_RATE = 24_000, 16_000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(kw_only=True)
class Measured:
    """What the sentences gave.

    Attributes:
        firsts: The time to the first audio of each, in seconds.
        work: How long they took in all, in seconds.
        audio: How long they are in all, in seconds.
        errors: The wrong words.
        words: The words.
    """

    firsts: list[float] = field(default_factory=list)
    work: float = 0.0
    audio: float = 0.0
    errors: int = 0
    words: int = 0


@app.command()
def main(
    engine: Annotated[str, typer.Option(help="The engine.")] = "flite",
    voice: Annotated[str, typer.Option(help="The voice; the default one if unset.")] = "",
    threads: Annotated[int, typer.Option(help="The threads of the engine kokoro.")] = 2,
    rounds: Annotated[int, typer.Option(help="How often each sentence is spoken.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Prints the time to the first audio, the real-time factor and the word error rate."""
    asyncio.run(_main(engine, voice, threads, rounds, as_json))


async def _main(engine: str, voice: str, threads: int, rounds: int, as_json: bool) -> None:
    settings = SynthesisSettings(engine=engine, slots=1, kokoro=KokoroSettings(threads=threads))
    model = str(model_store(DEFAULT_MODELS_DIR) / DEFAULT_WHISPER)
    whisper = WhisperModel(model, device="cpu", compute_type="int8", local_files_only=True)
    measured = Measured()
    with tempfile.TemporaryDirectory() as folder:
        blobs = Blobs(Path(folder).as_uri())
        async with open_stage(settings, blobs) as stage:
            await _speak(stage, blobs, "Once before all others.", voice, Measured())
            for text in SENTENCES * rounds:
                said = await _speak(stage, blobs, text, voice, measured)
                _compare(whisper, text, said, measured)
    Report(
        bench="synthesis",
        measured=__doc__.splitlines()[0],
        settings={"engine": engine, "voice": voice or "the default one", "threads": threads},
        figures=[
            Figure(name="first audio, median", value=1000 * median(measured.firsts), unit="ms"),
            Figure(name="first audio, longest", value=1000 * max(measured.firsts), unit="ms"),
            Figure(name="time of work over time of audio", value=measured.work / measured.audio),
            Figure(name="word error rate", value=100 * measured.errors / measured.words, unit="%"),
            Figure(name="words", value=measured.words),
        ],
    ).print(as_json)


async def _speak(
    stage: SynthesizeStage, blobs: Blobs, text: str, voice: str, measured: Measured
) -> bytes:
    """The samples of a sentence."""
    request = speech.SynthesizeRequest(text=text, voice=voice, format=speech.AUDIO_FORMAT_PCM)
    context = StageContext(job_id="b", unit="direct", attempt=1, blobs=blobs, folder="b")
    began, first, content = time.monotonic(), 0.0, bytearray()
    async with aclosing(stage.run(request, context)) as responses:
        async for response in responses:
            first = first or time.monotonic() - began
            content += response.audio.content
            measured.audio += seconds(response.result.duration)
    measured.firsts.append(first)
    measured.work += time.monotonic() - began
    return bytes(content)


def _compare(whisper: WhisperModel, text: str, said: bytes, measured: Measured) -> None:
    samples = np.frombuffer(said, "<i2").astype(np.float32) / 32768
    places = np.arange(0, len(samples), RATE / WHISPER_RATE)
    audio = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    segments, _ = whisper.transcribe(audio, language="en", beam_size=5)
    heard = _words(" ".join(segment.text for segment in segments))
    expected = _words(text)
    made = jiwer.process_words(expected, heard)
    measured.errors += made.substitutions + made.deletions + made.insertions
    measured.words += len(expected.split())


def _words(text: str) -> str:
    return " ".join(token.words for piece in pieces(text) for token in piece.tokens)


if __name__ == "__main__":
    app()
