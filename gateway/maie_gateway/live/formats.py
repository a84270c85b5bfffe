"""The formats of live audio, and what a message of it may hold."""

from __future__ import annotations

from maie.live.v1 import live_pb2 as live
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason

MIN_RATE = 8_000
MAX_RATE = 48_000
MAX_CHANNELS = 8
# The longest audio of one message.
MAX_CONTENT_SECONDS = 1
MAX_SILENCE_SECONDS = 3600
_SAMPLE_BYTES = {
    live.AUDIO_ENCODING_LINEAR16: 2,
    live.AUDIO_ENCODING_MULAW: 1,
    live.AUDIO_ENCODING_ALAW: 1,
}


def settled_format(asked: live.AudioFormat, field: str) -> live.AudioFormat:
    """The format with defaults filled in.

    Args:
        asked: What the client said.
        field: Where it said so, such as "start.config.format".

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_FORMAT_INVALID.
    """
    settled = live.AudioFormat()
    settled.CopyFrom(asked)
    settled.channels = settled.channels or 1
    if settled.encoding not in _SAMPLE_BYTES:
        raise _invalid("an encoding is LINEAR16, MULAW or ALAW", f"{field}.encoding")
    if not MIN_RATE <= settled.sample_rate_hertz <= MAX_RATE:
        raise _invalid(
            f"a sample rate is {MIN_RATE} to {MAX_RATE} Hz", f"{field}.sample_rate_hertz"
        )
    if not 1 <= settled.channels <= MAX_CHANNELS:
        raise _invalid(f"there are 1 to {MAX_CHANNELS} channels", f"{field}.channels")
    return settled


def frame_bytes(settled: live.AudioFormat) -> int:
    """The bytes of one sample of all channels."""
    return _SAMPLE_BYTES[settled.encoding] * settled.channels


def check_content(settled: live.AudioFormat, content: bytes) -> None:
    """Refuses audio that is empty, too long or ends within a sample.

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID.
    """
    frames, rest = divmod(len(content), frame_bytes(settled))
    if not content:
        raise _part_invalid("A message with audio holds none")
    if rest:
        raise _part_invalid(
            f"{len(content)} bytes end within a sample of {frame_bytes(settled)} bytes"
        )
    if frames > settled.sample_rate_hertz * MAX_CONTENT_SECONDS:
        raise _part_invalid(f"{len(content)} bytes are more than {MAX_CONTENT_SECONDS} s of audio")


def check_silence(seconds: float) -> None:
    """Refuses silence of no length or too long.

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID.
    """
    if not 0 < seconds <= MAX_SILENCE_SECONDS:
        raise invalid(
            Reason.AUDIO_PART_INVALID,
            f"Silence lasts above 0 to {MAX_SILENCE_SECONDS} s, not {seconds:g} s.",
            field="silence.duration",
        )


def _invalid(rule: str, field: str) -> StageError:
    return invalid(
        Reason.AUDIO_FORMAT_INVALID,
        f"The format of live audio is not supported: {rule}.",
        field=field,
    )


def _part_invalid(problem: str) -> StageError:
    return invalid(
        Reason.AUDIO_PART_INVALID,
        f"{problem}; send whole samples, best 20 to 200 ms in a message.",
        field="audio.content",
    )
