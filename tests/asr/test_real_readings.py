"""Readings of real people through the stage, with the models that newcomers get.

Other processors round in another order, so that a word may differ here and there: a sentence that
is missing never may.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from faster_whisper import decode_audio

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie_asr.engine import SAMPLE_RATE, Samples, SpeechRange
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_asr.stage import open_stage
from maie_runtime.blobs import Blobs
from tests.asr.real_models import real_model
from tests.asr.recordings import ROOT, chunk_request, store_plan, wav, words_of
from tests.asr.running import text_of, transcribe

# Seconds of decoding, which take longer where CT2_FORCE_CPU_ISA asks for plain instructions.
pytestmark = [pytest.mark.unit, pytest.mark.slow]

READINGS = ROOT / "tests/data/readings"
TWO_CITIES = READINGS / "two-cities.flac"
TELEPHONE = READINGS / "telephone.flac"
# Words of a hundred that may differ on another processor.
MAX_WRONG = {TWO_CITIES: 0.03, TELEPHONE: 0.2}
RANDOM = np.random.default_rng(1)
TIME = np.arange(8 * SAMPLE_RATE) / SAMPLE_RATE
# Chords that change twice a second.
CHORD = 220 * 2 ** (np.floor(2 * TIME)[:, None] * [1, 5, 8] % 12 / 12)
NOBODY = {
    "silence": np.zeros(len(TIME)),
    "noise": RANDOM.standard_normal(len(TIME)) * 0.1,
    "hum": 0.2 * np.sin(2 * np.pi * 50 * TIME) + 0.1 * np.sin(2 * np.pi * 150 * TIME),
    "music": 0.1 * np.sin(2 * np.pi * CHORD * TIME[:, None]).sum(axis=1),
}


def said(path: Path) -> list[str]:
    """What the README of the readings says of one."""
    for line in (READINGS / "README.md").read_text().splitlines():
        if path.name in line:
            return words_of(line.split("|")[2])
    raise LookupError(path)


async def read(
    request: asr.TranscribeRequest, blobs: Blobs, model: str, **whisper: Any
) -> common.Transcript:
    settings = AsrSettings(
        engine="whisper",
        language_code="en",
        whisper=WhisperSettings(model_path=real_model(model), cpu_threads=1, **whisper),
    )
    async with open_stage(settings, blobs) as stage:
        return await transcribe(stage, request, blobs)


def heard(path: Path) -> Samples:
    """A reading at 16 kHz; a telephone has 8."""
    return _pcm(decode_audio(str(path)))


def content(path: Path) -> asr.TranscribeRequest:
    return asr.TranscribeRequest(audio_content=wav(heard(path)))


def missing(path: Path, transcript: common.Transcript) -> tuple[float, int]:
    """The share of wrong words, and the most words in a row that are missing."""
    found = jiwer.process_words(" ".join(said(path)), " ".join(words_of(text_of(transcript))))
    lost = [
        each.ref_end_idx - each.ref_start_idx
        for each in found.alignments[0]
        if each.type == "delete"
    ]
    return found.wer, max(lost, default=0)


@pytest.mark.parametrize(
    ("path", "model"),
    [
        (TWO_CITIES, "whisper-base"),
        (TWO_CITIES, "whisper-tiny.en"),
        (TELEPHONE, "whisper-tiny.en"),
    ],
    ids=lambda each: Path(each).stem,
)
async def test_every_sentence_of_a_reading_arrives(blobs: Blobs, path: Path, model: str) -> None:
    transcript = await read(content(path), blobs, model)
    wrong, lost = missing(path, transcript)
    assert wrong <= MAX_WRONG[path]
    assert lost <= 2
    assert not transcript.unread
    assert not transcript.suspect_texts


async def test_a_sentence_stays_where_the_vad_heard_nobody(blobs: Blobs) -> None:
    # As preprocess had it with a threshold of 0.5: the first sentence and bits of the third.
    ranges = [_span(0.5, 4.6), _span(14.2, 14.6)]
    plan = await store_plan(blobs, heard(TELEPHONE), [ranges])
    transcript = await read(chunk_request(plan, 0), blobs, "whisper-tiny.en", vad_filter=False)
    _, lost = missing(TELEPHONE, transcript)
    assert lost <= 2
    # A word at the end of the first sentence is not understood.
    assert all(len(words_of(each.text)) <= 2 for each in transcript.suspect_texts)


async def test_what_the_engines_own_vad_cuts_out_is_read_again(blobs: Blobs) -> None:
    # Nothing in telephone band is as sure as that, so that the first reading has no word.
    transcript = await read(content(TELEPHONE), blobs, "whisper-tiny.en", vad_threshold=0.99)
    wrong, lost = missing(TELEPHONE, transcript)
    assert wrong <= MAX_WRONG[TELEPHONE]
    assert lost <= 2
    assert transcript.reread_count >= 1
    assert not transcript.unread
    starts = [segment.start_offset.ToMilliseconds() for segment in transcript.segments]
    assert starts == sorted(starts)


@pytest.mark.parametrize("kind", NOBODY)
async def test_nothing_is_invented_where_nobody_speaks(blobs: Blobs, kind: str) -> None:
    samples = _pcm(NOBODY[kind])
    # The worst that a plan can say.
    everywhere = SpeechRange(start=0, end=len(samples))
    plan = await store_plan(blobs, samples, [[everywhere]])
    transcript = await read(chunk_request(plan, 0), blobs, "whisper-tiny.en")
    assert not transcript.segments
    assert not transcript.unread


def _span(start: float, end: float) -> SpeechRange:
    return SpeechRange(start=round(start * SAMPLE_RATE), end=round(end * SAMPLE_RATE))


def _pcm(sound: np.ndarray[Any, Any]) -> Samples:
    samples: Samples = np.round(sound * 32767).astype(np.int16)
    return samples
