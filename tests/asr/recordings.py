"""Recordings, and what the service takes in their place."""

from __future__ import annotations

import io
import itertools
import re
import wave
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from google.protobuf.duration_pb2 import Duration

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_asr.engine import SAMPLE_RATE, Samples, SpeechRange
from maie_runtime.blobs import Blobs

ROOT = Path(__file__).parents[2]
STANDUP = ROOT / "samples/standup.flac"
STANDUP_TEXT = ROOT / "samples/standup.txt"
LIBRIVOX = sorted((ROOT / "tests/data/librivox").glob("*.wav"))
TINY_WHISPER = ROOT / "tests/models/tiny-whisper"
SCHEDULE = ROOT / "tests/data/tiny-whisper/schedule.flac"
BUG_AND_BUDGET = ROOT / "tests/data/tiny-whisper/bug-and-budget.flac"


def read_audio(path: Path) -> Samples:
    """The samples of a file that is 16 kHz mono already."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1)[0].astype(np.int16)


def wav(samples: Samples, *, rate: int = SAMPLE_RATE, channels: int = 1) -> bytes:
    """A WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((channels, 2, rate, 0, "NONE", ""))
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def words_of(text: str) -> list[str]:
    """The words of a text without punctuation and casing."""
    return re.findall(r"[a-z']+", text.lower())


def spoken_words(script: Path) -> list[str]:
    """The words of a script of "VOICE: sentence" lines."""
    lines = script.read_text(encoding="utf-8").splitlines()
    return words_of(" ".join(line.partition(":")[2] for line in lines))


async def store_plan(
    blobs: Blobs, samples: Samples, chunks: Sequence[Sequence[SpeechRange]]
) -> preprocess.PreprocessResult:
    """Stores and gives what preprocess would: chunks that are cut in the middle of pauses."""
    plan = preprocess.PreprocessResult()
    edges = _edges(chunks, len(samples))
    for index, (ranges, (start, end)) in enumerate(
        zip(chunks, itertools.pairwise(edges), strict=True)
    ):
        audio = await blobs.put(f"jobs/test/chunks/{index}.wav", wav(samples[start:end]))
        speech = [_time_range(span.start, span.end) for span in ranges]
        plan.chunks.add(index=index, range=_time_range(start, end), speech=speech, audio=audio)
    return plan


def chunk_request(plan: preprocess.PreprocessResult, index: int) -> asr.TranscribeRequest:
    """Asks for one chunk."""
    return asr.TranscribeRequest(speech_chunk=plan.chunks[index])


def _edges(chunks: Sequence[Sequence[SpeechRange]], end: int) -> list[int]:
    cuts = [(before[-1].end + after[0].start) // 2 for before, after in itertools.pairwise(chunks)]
    return [0, *cuts, end]


def _time_range(start: int, end: int) -> common.TimeRange:
    return common.TimeRange(start_offset=_duration(start), end_offset=_duration(end))


def _duration(samples: int) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(samples * 1_000_000_000 // SAMPLE_RATE)
    return duration
