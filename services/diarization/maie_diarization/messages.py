"""Converts what engines and clustering give into the contract's messages, and back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.durations import duration, seconds, time_range
from maie_diarization.clustering import Hints
from maie_diarization.engine import Embedding, Turn, Voice

# Part of a voice's message in blobs, so its byte order is fixed.
EMBEDDING = np.dtype("<f4")


def voice_message(voice: Voice, offset: float) -> diarization.Voice:
    """A voice with times relative to the recording's start.

    Args:
        voice: The engine's voice.
        offset: Where its chunk begins in the recording, in seconds.
    """
    embedding = b"" if voice.embedding is None else packed(voice.embedding)
    return diarization.Voice(
        turns=[time_range(turn.start + offset, turn.end + offset) for turn in voice.turns],
        embedding=embedding,
        clean_duration=duration(voice.clean_duration),
        window=time_range(voice.window.start + offset, voice.window.end + offset),
    )


def packed(embedding: Embedding) -> bytes:
    """An embedding as the contract has it."""
    return embedding.astype(EMBEDDING).tobytes()


def unpacked(data: bytes) -> Embedding:
    """An embedding of the contract; without any dimension where there is none."""
    return np.frombuffer(data, EMBEDDING).astype(np.float32)


def plain_voices(found: diarization.Voices) -> list[Voice]:
    """The voices of a chunk, with times relative to the chunk's start."""
    offset = seconds(found.chunk.range.start_offset)
    return [_plain(voice, offset) for voice in found.voices]


def channel_voice(chunk: preprocess.Chunk) -> diarization.Voice:
    """The one voice of a chunk that is one channel or track of several: all of its speech."""
    return diarization.Voice(turns=chunk.speech)


def hints_of(options: diarization.SpeakerOptions) -> Hints:
    """What is known of the number of speakers."""
    return Hints(
        speaker_count=_given(options, "speaker_count"),
        min_speaker_count=_given(options, "min_speaker_count"),
        max_speaker_count=_given(options, "max_speaker_count"),
    )


def spoken(turns: Iterable[common.TimeRange]) -> float:
    """How long turns are together, in seconds."""
    return sum(seconds(turn.end_offset) - seconds(turn.start_offset) for turn in turns)


def _plain(voice: diarization.Voice, offset: float) -> Voice:
    embedding = unpacked(voice.embedding)
    return Voice(
        window=_turn(voice.window, offset),
        turns=tuple(_turn(turn, offset) for turn in voice.turns),
        embedding=embedding if len(embedding) else None,
        clean_duration=seconds(voice.clean_duration),
    )


def _turn(span: common.TimeRange, offset: float) -> Turn:
    return Turn(start=seconds(span.start_offset) - offset, end=seconds(span.end_offset) - offset)


def _given(options: diarization.SpeakerOptions, field: str) -> int | None:
    return getattr(options, field) if options.HasField(field) else None
