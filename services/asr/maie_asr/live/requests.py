"""Checks the messages of a live track."""

from __future__ import annotations

from maie.asr.v1 import streaming_pb2 as streaming
from maie_asr.engine import SAMPLE_RATE
from maie_asr.live.audio import SAMPLE_BYTES
from maie_core.durations import seconds
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_core.samples import samples

MAX_AUDIO_BYTES = SAMPLE_RATE * SAMPLE_BYTES
MAX_SILENCE_SECONDS = 3600


def config_of(request: streaming.StreamingRecognizeRequest) -> streaming.StreamingConfig:
    """The config, which is the first message.

    Raises:
        StageError: INVALID_ARGUMENT with STREAM_OUT_OF_ORDER or OPTION_OUT_OF_RANGE.
    """
    if request.WhichOneof("request") != "config":
        raise out_of_order(
            "The first message of a track is its `config`; send it before any other."
        )
    config = request.config
    start, settled = samples(config.start_offset), samples(config.settled_offset)
    if start < 0:
        raise _out_of_range("start_offset", "0 or more")
    # Unset, it is the beginning.
    if config.HasField("settled_offset") and settled < start:
        raise _out_of_range("settled_offset", "at `start_offset` or after it")
    if config.next_utterance < 0:
        raise _out_of_range("next_utterance", "1 or more, or 0 for 1")
    return config


def check_audio(content: bytes) -> None:
    """Refuses audio that is no whole samples, or not between 1 sample and 1 s.

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID.
    """
    if not content:
        raise _bad_part("A message with audio is empty; send samples, or nothing.")
    if len(content) % SAMPLE_BYTES:
        raise _bad_part("A message with audio ends within a sample; send whole samples of 2 bytes.")
    if len(content) > MAX_AUDIO_BYTES:
        raise _bad_part(
            f"A message with {len(content)} bytes of audio is longer than 1 s, which are "
            f"{MAX_AUDIO_BYTES} bytes; send less at a time."
        )


def silence_of(request: streaming.StreamingRecognizeRequest) -> int:
    """The samples of a message with silence.

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID.
    """
    length = seconds(request.silence)
    if not 0 < length <= MAX_SILENCE_SECONDS:
        raise _bad_part(
            f"Silence is above 0 and at most {MAX_SILENCE_SECONDS} s long; send it so.", "silence"
        )
    return samples(request.silence)


def out_of_order(message: str) -> StageError:
    """The error for a message in the wrong place."""
    return invalid(Reason.STREAM_OUT_OF_ORDER, message)


def _bad_part(message: str, field: str = "audio") -> StageError:
    return invalid(Reason.AUDIO_PART_INVALID, message, field=field)


def _out_of_range(name: str, words: str) -> StageError:
    return invalid(Reason.OPTION_OUT_OF_RANGE, f"`{name}` must be {words}.", field=f"config.{name}")
