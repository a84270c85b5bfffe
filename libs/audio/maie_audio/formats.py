"""What the service and the decoding process say about a track and its audio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from maie_core.reasons import Reason

SAMPLE_RATE: Final = 16_000
SAMPLE_BYTES: Final = 2

Encoding = Literal["opus", "ogg_opus", "webm_opus", "flac"]
"""`opus` is one raw packet in each message."""

Part = bytes | int
"""The next audio: 16 kHz 16-bit samples, or the length of silence in samples of each channel.

The samples are mono; those of a track whose channels are kept apart are interleaved."""

# The largest message. A second of stereo FLAC at 48 kHz has at most 192 kB.
MAX_MESSAGE_BYTES: Final = 256 * 1024
# The largest page, block or frame. A page of Ogg has up to 65,307 bytes.
MAX_PENDING_BYTES: Final = 64 * 1024
# What a track keeps from one message to the next: that, the beginning of a packet from the
# page before, and a few numbers.
MAX_STATE_BYTES: Final = 80 * 1024


@dataclass(kw_only=True, frozen=True, slots=True)
class Format:
    """The format of a track's audio as its sender states it.

    Attributes:
        encoding: The encoding.
        sample_rate: In hertz; 0 if not stated.
        channels: 0 if not stated.
        split: Whether the channels are kept apart, not mixed; they are stated then, 2 or more.
    """

    encoding: Encoding
    sample_rate: int = 0
    channels: int = 0
    split: bool = False


@dataclass(kw_only=True, frozen=True, slots=True)
class Limits:
    """The limits on a decoding process and on each message.

    Attributes:
        memory_bytes: The address space of a process.
        cpu_seconds: The CPU time for one message.
        sound_seconds: The sound in one message.
        silence_seconds: The gaps in the sound of one message.
    """

    memory_bytes: int = 512 * 1024 * 1024
    cpu_seconds: int = 5
    sound_seconds: float = 10.0
    silence_seconds: float = 3600.0


class RefusedError(Exception):
    """The audio cannot be used.

    Attributes:
        reason: AUDIO_FORMAT_INVALID or AUDIO_PART_INVALID.
        message: A sentence: what is wrong and what to do.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message


def other_format(what: str) -> RefusedError:
    """Audio that is not what its format says; `what` is a sentence without its end."""
    return RefusedError(
        Reason.AUDIO_FORMAT_INVALID, f"{what}; name the encoding that the audio has."
    )


def damaged(what: str) -> RefusedError:
    """Audio that cannot be decoded; `what` is a sentence without its end."""
    return RefusedError(
        Reason.AUDIO_PART_INVALID, f"{what}; send the bytes as the encoder wrote them."
    )
