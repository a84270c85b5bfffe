"""Words that are lost or wrong: faster-whisper by itself, against the stages of the mesh.

The readings are real, from tests/data/librivox, in the forms that recordings come in. The mesh's
side is the real preprocess and ASR stages with their own settings, at several chunk lengths; the
other side is the library with its own defaults. A passage is lost where all its words are missing
for longer than `--lost-seconds`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import jiwer
import typer
from faster_whisper import WhisperModel
from google.protobuf.duration_pb2 import Duration

from bench.meshes import data_folder
from bench.readings import FORMS, Reading, in_form, long_reading, write_wav
from bench.report import Figure, JsonOption, Report, note
from bench.stages import call
from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_asr import stage as asr_stage
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_asr.stage import TranscribeStage
from maie_core.models import DEFAULT_WHISPER, model_store
from maie_preprocess import stage as preprocess_stage
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import PreprocessStage
from maie_runtime.blobs import Blobs

# What the mesh may be worse by than the library, in words of a hundred.
MAX_POINTS = 0.5
LONG = "long"
_WORD = re.compile(r"[a-z']+")
# Spellings of the same word.
_SPELLINGS = {"mister": "mr"}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(kw_only=True, frozen=True, slots=True)
class Score:
    """The result of a reading.

    Attributes:
        wrong: Words wrong, missing or too many, over the words that were said.
        lost: Passages that are missing, in seconds.
        unread: How many passages the result itself reports.
    """

    wrong: float
    lost: tuple[tuple[float, float], ...]
    unread: int = 0


@app.command()
def main(
    model: Annotated[
        list[Path] | None,
        typer.Option(help="A CTranslate2 Whisper model, or several; whisper-base where unset."),
    ] = None,
    form: Annotated[list[str] | None, typer.Option(help=f"{', '.join(FORMS)} or {LONG}.")] = None,
    seconds: Annotated[float, typer.Option(help="How long the readings are at least.")] = 60.0,
    long_seconds: Annotated[float, typer.Option(help="How long the long one is.")] = 360.0,
    chunk_seconds: Annotated[list[float] | None, typer.Option(help="What chunks aim at.")] = None,
    lost_seconds: Annotated[float, typer.Option(help="What counts as a lost passage.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Prints how many words of a hundred are wrong, and how many passages are lost."""
    chunks = chunk_seconds or [15.0, 30.0, 60.0, 300.0]
    forms = form or [*FORMS, LONG]
    readings = {
        name: long_reading(long_seconds) if name == LONG else in_form(name, seconds)
        for name in forms
    }
    models = model or [model_store() / DEFAULT_WHISPER]
    figures = asyncio.run(_main(models, readings, chunks, lost_seconds))
    Report(
        bench="words",
        measured="Wrong words per hundred, and lost passages: faster-whisper by itself on the "
        "whole file, and the mesh's stages by chunk length.",
        settings={"seconds": seconds, "long_seconds": long_seconds, "lost_seconds": lost_seconds},
        figures=figures,
    ).print(as_json)


async def _main(
    models: Sequence[Path],
    readings: dict[str, Reading],
    chunks: Sequence[float],
    lost_seconds: float,
) -> list[Figure]:
    figures: list[Figure] = []
    for path in models:
        bare = _load(path)
        with data_folder() as data:
            async with opened_stages(data, path) as stages:
                for name, reading in readings.items():
                    library = score(reading, _read(bare, reading), lost_seconds)
                    figures += _figures(f"{path.name}, {name}, library", library)
                    for seconds in [each for each in chunks if each <= 2 * reading.seconds]:
                        text, unread = await stages.read(reading, seconds)
                        found = score(reading, text, lost_seconds, unread)
                        label = f"{path.name}, {name}, chunks of {seconds:g} s"
                        figures += _figures(label, found, library)
    return figures


class Stages:
    """The preprocess and ASR stages in this process.

    Args:
        preprocess: The preprocess stage.
        transcribe: The ASR stage.
        data: Where a reading lies as a file.
        blobs: Where chunks are stored.
    """

    def __init__(
        self, preprocess: PreprocessStage, transcribe: TranscribeStage, data: Path, blobs: Blobs
    ) -> None:
        self._preprocess = preprocess
        self._asr = transcribe
        self._data = data
        self._blobs = blobs

    async def read(self, reading: Reading, chunk_seconds: float) -> tuple[str, int]:
        """The text of a reading, and how many passages are reported as unread."""
        length = Duration()
        length.FromMilliseconds(round(1000 * chunk_seconds))
        plan = await self.plan(reading, preprocess.PreprocessRequest(chunk_duration=length))
        return await self.text(plan)

    async def plan(
        self, reading: Reading, request: preprocess.PreprocessRequest
    ) -> preprocess.PreprocessResult:
        """What preprocess makes of a reading; the recording is put into the request."""
        path = self._data / "reading.wav"
        write_wav(path, reading)
        request.recording.CopyFrom(await self._blobs.put("recording", path.read_bytes()))
        plan: preprocess.PreprocessResult = await call(self._preprocess, request, self._blobs)
        return plan

    async def text(self, plan: preprocess.PreprocessResult) -> tuple[str, int]:
        """The text of a recording that is cut, and how many passages are reported as unread."""
        parts = await self._parts(plan)
        segments = [segment.text for part in parts for segment in part.segments]
        return " ".join(segments), sum(len(part.unread) for part in parts)

    async def segments(self, plan: preprocess.PreprocessResult) -> list[common.Segment]:
        """What is said in a recording that is cut, in the order of time."""
        return [segment for part in await self._parts(plan) for segment in part.segments]

    async def _parts(self, plan: preprocess.PreprocessResult) -> list[common.Transcript]:
        return [
            await call(self._asr, asr.TranscribeRequest(speech_chunk=chunk), self._blobs)
            for chunk in plan.chunks
        ]


@asynccontextmanager
async def opened_stages(data: Path, model: Path) -> AsyncIterator[Stages]:
    """Loads both stages, with their own settings and one thread."""
    blobs = Blobs(f"file://{data}/blobs")
    whisper = WhisperSettings(model_path=model, cpu_threads=1)
    settings = AsrSettings(engine="whisper", language_code="en", whisper=whisper)
    async with (
        preprocess_stage.open_stage(PreprocessSettings()) as first,
        asr_stage.open_stage(settings, blobs) as second,
    ):
        yield Stages(first, second, data, blobs)


def _load(path: Path) -> WhisperModel:
    return WhisperModel(
        str(path), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )


def _read(model: WhisperModel, reading: Reading) -> str:
    audio = reading.audio if reading.audio.ndim == 1 else reading.audio.mean(axis=1)
    segments, _ = model.transcribe(audio, language="en")
    return " ".join(segment.text for segment in segments)


def score(reading: Reading, text: str, lost_seconds: float, unread: int = 0) -> Score:
    """Compares a text with what was said.

    Args:
        reading: What was said.
        text: What was read.
        lost_seconds: How long a passage without any of its words is lost.
        unread: How many passages the result itself reports.
    """
    said = " ".join(normalised(" ".join(word.text for word in reading.words)))
    found = jiwer.process_words(said, " ".join(normalised(text)))
    lost = [
        (first.start, last.end)
        for first, last in (
            (reading.words[each.ref_start_idx], reading.words[each.ref_end_idx - 1])
            for each in found.alignments[0]
            if each.type == "delete"
        )
        if last.end - first.start >= lost_seconds
    ]
    return Score(wrong=found.wer, lost=tuple(lost), unread=unread)


def normalised(text: str) -> list[str]:
    """The words of a text, without what only spelling makes differ."""
    words = _WORD.findall(text.lower().replace("’", "'"))
    return [_SPELLINGS.get(word, word) for word in words]


def _figures(label: str, score: Score, bare: Score | None = None) -> list[Figure]:
    at = ", ".join(f"{start:.0f} to {end:.0f} s" for start, end in score.lost)
    note(
        f"{label}: {100 * score.wrong:.1f} wrong, {len(score.lost)} lost"
        + (f" ({at})" if at else "")
        + (f", {score.unread} reported as unread" if score.unread else "")
    )
    most = None if bare is None else 100 * bare.wrong + MAX_POINTS
    return [
        Figure(name=f"{label}: wrong", value=100 * score.wrong, unit="%", at_most=most),
        Figure(
            name=f"{label}: lost",
            value=len(score.lost),
            at_most=None if bare is None else 0,
        ),
    ]


if __name__ == "__main__":
    app()
