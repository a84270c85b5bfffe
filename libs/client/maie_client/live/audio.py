"""Live audio by its format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from maie.live.v1 import live_pb2 as live
from maie_client.live.errors import audio_invalid

DEFAULT_RATE_HERTZ: Final = 16_000
# Longer audio is divided into messages of this length.
MESSAGE_SECONDS: Final = 0.2
# Streams may be cut anywhere. At 8 kbit/s this is 4 s of Opus, and a message holds up to 10 s.
STREAM_BYTES: Final = 4096
# The encodings whose samples have a length.
_SAMPLE_BYTES = {
    live.AUDIO_ENCODING_LINEAR16: 2,
    live.AUDIO_ENCODING_MULAW: 1,
    live.AUDIO_ENCODING_ALAW: 1,
}
_STREAMS = {
    live.AUDIO_ENCODING_OGG_OPUS,
    live.AUDIO_ENCODING_WEBM_OPUS,
    live.AUDIO_ENCODING_FLAC,
}


def divided(audio: bytes, format_: live.AudioFormat) -> Iterator[bytes]:
    """The contents of messages with this audio; none where there is no audio.

    Raises:
        ClientError: INVALID_ARGUMENT with AUDIO_PART_INVALID: it ends within a sample.
    """
    if format_.encoding in _STREAMS:
        return (
            bytes(audio[start : start + STREAM_BYTES])
            for start in range(0, len(audio), STREAM_BYTES)
        )
    sample = _SAMPLE_BYTES.get(format_.encoding)
    if sample is None:
        # A packet is one message.
        return iter([bytes(audio)] if audio else [])
    frame = sample * max(1, format_.channels)
    if len(audio) % frame:
        raise audio_invalid(
            f"{len(audio)} bytes are not whole samples of {frame} bytes; send the rest of the "
            "last one with it."
        )
    step = round(second_bytes(format_) * MESSAGE_SECONDS) // frame * frame
    return (bytes(audio[start : start + step]) for start in range(0, len(audio), step))


def second_bytes(format_: live.AudioFormat) -> int:
    """The bytes of one second of audio; of a compressed format, more than it has."""
    frame = _SAMPLE_BYTES.get(format_.encoding, 2) * max(1, format_.channels)
    return frame * (format_.sample_rate_hertz or DEFAULT_RATE_HERTZ)
