"""Loads the audio of a request into memory."""

from __future__ import annotations

import asyncio
import io
import itertools
import wave
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from maie.asr.v1 import asr_pb2 as asr
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_asr.engine import SAMPLE_RATE, Samples, Speech, SpeechRange
from maie_asr.vad import VoiceActivity
from maie_core.durations import seconds
from maie_core.errors import invalid
from maie_core.limits import MAX_AUDIO_CONTENT_BYTES
from maie_core.reasons import Reason
from maie_runtime.blobs import Blobs


@dataclass(kw_only=True, frozen=True, slots=True)
class Source:
    """A chunk of speech and its place in the recording.

    Attributes:
        chunk: The chunk's index.
        offset: Where the chunk begins in the recording, in seconds.
        speech: The chunk's audio.
        activity: The VAD's output for it.
        channel: The chunk's channel, from 1; 0 if the channels were mixed.
        track: The chunk's track, from 1; 0 if only one track was decoded.
    """

    chunk: int
    offset: float
    speech: Speech
    activity: VoiceActivity
    channel: int = 0
    track: int = 0


async def load_source(request: asr.TranscribeRequest, blobs: Blobs, executor: Executor) -> Source:
    """Reads the audio of the chunk that a request names or contains.

    Args:
        request: The request.
        blobs: The object store with the audio of chunks.
        executor: Where audio is parsed and the VAD runs.

    Raises:
        StageError: INVALID_ARGUMENT with SOURCE_MISSING, CHUNK_INVALID,
            AUDIO_EMPTY, AUDIO_CORRUPT, AUDIO_TOO_LARGE or UNSUPPORTED_FORMAT.
    """
    source = request.WhichOneof("source")
    if source == "speech_chunk":
        return await _chunk(request.speech_chunk, blobs, executor)
    if source == "audio_content":
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, _content, request.audio_content)
    raise invalid(
        Reason.SOURCE_MISSING,
        "Set `speech_chunk` or `audio_content` in the request.",
        field="source",
    )


async def _chunk(chunk: preprocess.Chunk, blobs: Blobs, executor: Executor) -> Source:
    _check(chunk)
    offset = seconds(chunk.range.start_offset)
    samples = np.empty(0, np.int16)
    if chunk.speech:
        data = await blobs.get(chunk.audio)
        samples = await asyncio.get_running_loop().run_in_executor(executor, read_wav, data)
    ranges = tuple(
        SpeechRange(
            start=_position(seconds(speech.start_offset) - offset, samples),
            end=_position(seconds(speech.end_offset) - offset, samples),
        )
        for speech in chunk.speech
    )
    speech = Speech(samples=samples, ranges=ranges)
    return Source(
        chunk=chunk.index,
        offset=offset,
        speech=speech,
        activity=VoiceActivity(samples),
        channel=chunk.channel,
        track=chunk.track,
    )


def _check(chunk: preprocess.Chunk) -> None:
    if chunk.index < 0:
        raise invalid(
            Reason.CHUNK_INVALID, "A chunk's index is 0 or more.", field="speech_chunk.index"
        )
    edges = [
        seconds(edge) for span in chunk.speech for edge in (span.start_offset, span.end_offset)
    ]
    if any(after < before for before, after in itertools.pairwise(edges)):
        raise invalid(
            Reason.CHUNK_INVALID,
            "A chunk's speech is in order and without overlap; send the chunk as preprocess gave "
            "it.",
            field="speech_chunk.speech",
        )


def _content(data: bytes) -> Source:
    if len(data) > MAX_AUDIO_CONTENT_BYTES:
        raise invalid(
            Reason.AUDIO_TOO_LARGE,
            f"Audio inside a request is at most {MAX_AUDIO_CONTENT_BYTES // 1024**2} MiB; "
            "submit the recording as a job.",
            field="audio_content",
        )
    samples = read_wav(data)
    activity = VoiceActivity(samples)
    speech = Speech(samples=samples, ranges=activity.find_speech())
    return Source(chunk=0, offset=0.0, speech=speech, activity=activity)


def read_wav(data: bytes) -> Samples:
    """Reads a WAV file: 16 kHz, mono, 16-bit PCM.

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_CORRUPT, UNSUPPORTED_FORMAT or
            AUDIO_EMPTY.
    """
    try:
        with wave.open(io.BytesIO(data)) as file:
            form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise invalid(
            Reason.AUDIO_CORRUPT, "The audio is not a readable WAV file.", field="audio_content"
        ) from error
    if form != (SAMPLE_RATE, 1, 2):
        raise invalid(
            Reason.UNSUPPORTED_FORMAT,
            "The audio must be WAV, 16 kHz, mono, 16-bit PCM; submit other formats as a job.",
            field="audio_content",
        )
    # A truncated file may end within a sample.
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.dtype("<i2")).astype(np.int16, copy=False)
    if not len(samples):
        raise invalid(Reason.AUDIO_EMPTY, "The audio holds no samples.", field="audio_content")
    return samples


def _position(seconds: float, samples: Samples) -> int:
    return min(max(round(seconds * SAMPLE_RATE), 0), len(samples))
