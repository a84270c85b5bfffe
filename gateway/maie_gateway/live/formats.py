"""The formats of live audio, and what a message of it may hold."""

from __future__ import annotations

from maie.live.v1 import live_pb2 as live
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_audio.flac import MAX_RATE as MAX_STREAM_RATE
from maie_audio.formats import MAX_MESSAGE_BYTES, Encoding
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
# Encodings whose streams state their own rate and channels.
_STREAMS: dict[int, Encoding] = {
    live.AUDIO_ENCODING_OPUS: "opus",
    live.AUDIO_ENCODING_OGG_OPUS: "ogg_opus",
    live.AUDIO_ENCODING_WEBM_OPUS: "webm_opus",
    live.AUDIO_ENCODING_FLAC: "flac",
}
_MIX, _SPLIT = preprocess.CHANNEL_MODE_MIX, preprocess.CHANNEL_MODE_SPLIT
# The most channels of an Opus stream.
_OPUS_CHANNELS = 2


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
    if settled.encoding in _STREAMS:
        _check_stream(settled, field)
        _settle_channels(settled, field)
        return settled
    settled.channels = settled.channels or 1
    if settled.encoding not in _SAMPLE_BYTES:
        raise _invalid(
            "an encoding is LINEAR16, MULAW, ALAW, OPUS, OGG_OPUS, WEBM_OPUS or FLAC",
            f"{field}.encoding",
        )
    if not MIN_RATE <= settled.sample_rate_hertz <= MAX_RATE:
        raise _invalid(
            f"a sample rate is {MIN_RATE} to {MAX_RATE} Hz", f"{field}.sample_rate_hertz"
        )
    if not 1 <= settled.channels <= MAX_CHANNELS:
        raise _invalid(f"there are 1 to {MAX_CHANNELS} channels", f"{field}.channels")
    _settle_channels(settled, field)
    return settled


def channel_numbers(settled: live.AudioFormat) -> tuple[int, ...]:
    """What is recognised of a track: its channels, from 1, or 0 alone for the mix of them all."""
    is_split = settled.channel_mode == _SPLIT
    return tuple(range(1, settled.channels + 1)) if is_split else (0,)


def _settle_channels(settled: live.AudioFormat, field: str) -> None:
    """Fills in how channels are read. A single one needs no splitting."""
    mode = settled.channel_mode
    if mode not in (preprocess.CHANNEL_MODE_UNSPECIFIED, _MIX, _SPLIT):
        raise _invalid(
            "the channels of live audio are read by CHANNEL_MODE_MIX or CHANNEL_MODE_SPLIT",
            f"{field}.channel_mode",
        )
    if mode != _SPLIT or settled.channels == 1:
        settled.channel_mode = _MIX
    elif not settled.channels:
        raise _invalid("channels that are split are stated", f"{field}.channels")
    elif stream_encoding(settled) not in (None, "flac") and settled.channels > _OPUS_CHANNELS:
        raise _invalid("Opus has 1 or 2 channels", f"{field}.channels")


def _check_stream(settled: live.AudioFormat, field: str) -> None:
    rate = settled.sample_rate_hertz
    if rate and not MIN_RATE <= rate <= MAX_STREAM_RATE:
        raise _invalid(
            f"a sample rate is {MIN_RATE} to {MAX_STREAM_RATE} Hz, or unset",
            f"{field}.sample_rate_hertz",
        )
    if not 0 <= settled.channels <= MAX_CHANNELS:
        raise _invalid(f"there are 1 to {MAX_CHANNELS} channels", f"{field}.channels")


def stream_encoding(settled: live.AudioFormat) -> Encoding | None:
    """The encoding of a compressed stream; None for samples."""
    return _STREAMS.get(settled.encoding)


def frame_bytes(settled: live.AudioFormat) -> int:
    """The bytes of one sample of all channels."""
    return _SAMPLE_BYTES[settled.encoding] * settled.channels


def check_content(settled: live.AudioFormat, content: bytes) -> None:
    """Refuses audio that is empty, too long or ends within a sample.

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID.
    """
    if stream_encoding(settled) is not None:
        if not 0 < len(content) <= MAX_MESSAGE_BYTES:
            raise invalid(
                Reason.AUDIO_PART_INVALID,
                f"A message has {len(content)} bytes of audio, not 1 to {MAX_MESSAGE_BYTES}; send "
                "what the encoder writes as it comes.",
                field="audio.content",
            )
        return
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
