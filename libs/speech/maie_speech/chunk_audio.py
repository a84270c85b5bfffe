"""Loads the audio of a chunk into memory."""

from __future__ import annotations

import asyncio
import io
import itertools
import wave
from concurrent.futures import Executor

import numpy as np

from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.durations import seconds
from maie_core.errors import invalid
from maie_core.limits import MAX_AUDIO_CONTENT_BYTES
from maie_core.reasons import Reason
from maie_runtime.blobs import Blobs
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples, Speech, SpeechRange


async def load_chunk(chunk: preprocess.Chunk, blobs: Blobs, executor: Executor) -> Speech:
    """Reads the audio of a chunk; none where nobody speaks in it.

    Args:
        chunk: The chunk, as preprocess gave it.
        blobs: The object store with its audio.
        executor: Where audio is parsed.

    Raises:
        StageError: INVALID_ARGUMENT with CHUNK_INVALID, AUDIO_CORRUPT, AUDIO_EMPTY or
            UNSUPPORTED_FORMAT; as `Blobs.get`.
    """
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
    return Speech(samples=samples, ranges=ranges)


def read_content(data: bytes) -> Samples:
    """Reads the audio inside a request.

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_TOO_LARGE, and as `read_wav`.
    """
    if len(data) > MAX_AUDIO_CONTENT_BYTES:
        raise invalid(
            Reason.AUDIO_TOO_LARGE,
            f"Audio inside a request is at most {MAX_AUDIO_CONTENT_BYTES // 1024**2} MiB; "
            "submit the recording as a job.",
            field="audio_content",
        )
    return read_wav(data)


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


def _position(seconds: float, samples: Samples) -> int:
    return min(max(round(seconds * SAMPLE_RATE), 0), len(samples))
