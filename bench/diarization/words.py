"""Whose words they are in the product's own transcripts: `make bench-diarization.words`.

Synthetic voices, whose words and times are known, talk in some forms. The stages of the mesh hear
each conversation as a job with speakers has them: preprocess, ASR with whisper, diarization, and
the merge of both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer

from bench.diarization.conversation import converse
from bench.diarization.forms import CLEAN, TELEPHONE
from bench.diarization.recordings import Case, generated
from bench.diarization.speakers_words import SpeakersWord, WordErrors, word_errors
from bench.diarization.voices import FLITE, Voice, synthetic_voices
from bench.meshes import data_folder
from bench.report import Figure, JsonOption, Report, note
from bench.stages import call
from bench.words import normalised
from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_asr import stage as asr_stage
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_asr.stage import TranscribeStage
from maie_core.models import DEFAULT_WHISPER, model_store
from maie_diarization import stage as diarization_stage
from maie_diarization.settings import DiarizationSettings
from maie_diarization.stage import DiarizeStage
from maie_preprocess import stage as preprocess_stage
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import PreprocessStage
from maie_runtime.blobs import Blobs

# Each with the share in which two speak.
FORMS = ((CLEAN, 0.0), ("white20", 0.0), (TELEPHONE, 0.0), (CLEAN, 0.1))
SPEAKERS = (2, 3, 4)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    model: Annotated[
        Path | None, typer.Option(help="A CTranslate2 Whisper model; whisper-base where unset.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long each conversation is.")] = 120.0,
    as_json: JsonOption = False,
) -> None:
    """Prints wrong words, wrong words by speaker, and right words of another speaker."""
    path = model or model_store() / DEFAULT_WHISPER
    figures = asyncio.run(_main(path, seconds))
    Report(
        bench="diarization.words",
        measured="Words of the mesh's transcripts with speakers: wrong ones, wrong ones by speaker "
        "(cpWER), and of the right ones those of another speaker; with the number of speakers "
        "found, and given.",
        settings={"model": path.name, "seconds": seconds, "speakers": SPEAKERS},
        figures=figures,
    ).print(as_json)


async def _main(model: Path, seconds: float) -> list[Figure]:
    voices = synthetic_voices(len(FLITE))
    figures: list[Figure] = []
    with data_folder() as folder:
        async with _opened(folder, model) as stages:
            for form, overlap in FORMS:
                cases = [
                    Case(
                        voices="synthetic",
                        speakers=count,
                        seconds=seconds,
                        overlap=overlap,
                        form=form,
                    )
                    for count in SPEAKERS
                ]
                found = [await stages.errors(case, voices, folder) for case in cases]
                for way, of in zip(("found", "given"), zip(*found, strict=True), strict=True):
                    figures += _figures(f"{cases[0].group}, number {way}", of)
    return figures


@dataclass(kw_only=True, frozen=True, slots=True)
class Stages:
    """The stages of a job with speakers, in this process."""

    cutting: PreprocessStage
    transcribing: TranscribeStage
    telling: DiarizeStage
    blobs: Blobs

    async def errors(
        self, case: Case, voices: Sequence[Voice], folder: Path
    ) -> tuple[WordErrors, WordErrors]:
        """The errors where the number of speakers is found, and where it is given."""
        note(f"listening to {case.name}")
        recording = generated(case, voices, folder)
        said = [
            SpeakersWord(text=text, speaker=speaker)
            for _, spoken, speaker in _spoken(case, voices)
            for text in normalised(spoken)
        ]
        sound = await asyncio.to_thread(recording.path.read_bytes)
        request = preprocess.PreprocessRequest(recording=await self.blobs.put("recording", sound))
        plan = await call(self.cutting, request, self.blobs)
        transcript = common.Transcript()
        voices_of = diarization.VoicesSource()
        for chunk in plan.chunks:
            heard = asr.TranscribeRequest(speech_chunk=chunk)
            transcript.MergeFrom(await call(self.transcribing, heard, self.blobs))
            listened = diarization.DiarizeRequest(speech_chunk=chunk)
            part = await call(self.telling, listened, self.blobs)
            voices_of.parts.append(await self.blobs.put_message("voices", part))
        text = await self.blobs.put_message("transcript", transcript)
        found = [
            await self._merged(text, voices_of, speakers) for speakers in (None, case.speakers)
        ]
        return word_errors(said, found[0]), word_errors(said, found[1])

    async def _merged(
        self, transcript: common.Blob, voices: diarization.VoicesSource, speakers: int | None
    ) -> list[SpeakersWord]:
        """The words of the transcript with their speakers."""
        options = diarization.SpeakerOptions(speaker_count=speakers)
        who = diarization.DiarizeRequest(voices=voices, options=options)
        made = await self.blobs.put_message("speakers", await call(self.telling, who, self.blobs))
        words = diarization.WordsSource(transcript=transcript, diarization=made)
        request = diarization.DiarizeRequest(words=words)
        merged = await call(self.telling, request, self.blobs)
        return [
            SpeakersWord(text=text, speaker=word.speaker)
            for segment in merged.segments
            for word in segment.words
            for text in normalised(word.word)
        ]


@asynccontextmanager
async def _opened(folder: Path, model: Path) -> AsyncIterator[Stages]:
    blobs = Blobs(f"file://{folder}/blobs")
    settings = AsrSettings(
        engine="whisper", language_code="en", whisper=WhisperSettings(model_path=model)
    )
    async with (
        preprocess_stage.open_stage(PreprocessSettings()) as cutting,
        asr_stage.open_stage(settings, blobs) as transcribing,
        diarization_stage.open_stage(DiarizationSettings(), blobs) as telling,
    ):
        yield Stages(cutting=cutting, transcribing=transcribing, telling=telling, blobs=blobs)


def _spoken(case: Case, voices: Sequence[Voice]) -> list[tuple[float, str, str]]:
    """Each word that is said: when, what, and who says it, in the order of time."""
    said = converse(voices[: case.speakers], case.seconds, case.overlap, case.seed)
    return sorted(
        (each.start + word.start, word.text, each.speaker)
        for each in said
        for word in each.phrase.words
    )


def _figures(label: str, errors: Sequence[WordErrors]) -> list[Figure]:
    shares = {
        "wrong words": fmean(each.words for each in errors),
        "wrong words by speaker": fmean(each.by_speaker for each in errors),
        "right words of another speaker": fmean(each.misplaced for each in errors),
    }
    return [
        Figure(name=f"{label}: {name}", value=100 * share, unit="%")
        for name, share in shares.items()
    ]


if __name__ == "__main__":
    app()
