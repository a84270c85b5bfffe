"""Loads the audio of a request into memory."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass

from maie.asr.v1 import asr_pb2 as asr
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_asr.vad import VoiceActivity
from maie_core.durations import seconds
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_runtime.blobs import Blobs
from maie_speech.chunk_audio import load_chunk, read_content
from maie_speech.speech import Speech


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
    speech = await load_chunk(chunk, blobs, executor)
    return Source(
        chunk=chunk.index,
        offset=seconds(chunk.range.start_offset),
        speech=speech,
        activity=VoiceActivity(speech.samples),
        channel=chunk.channel,
        track=chunk.track,
    )


def _content(data: bytes) -> Source:
    samples = read_content(data)
    activity = VoiceActivity(samples)
    speech = Speech(samples=samples, ranges=activity.find_speech())
    return Source(chunk=0, offset=0.0, speech=speech, activity=activity)
