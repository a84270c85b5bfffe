"""What the decoding process tells the service over its pipe.

A message is one byte of kind, one of track, one of channel, four bytes of length
(little endian) and the payload. The kinds come in this order: OPENED, then any
number of SAMPLES, then DONE; or REFUSED in place of any of them, as the last.
OPENED comes once more where the recording turns out to be a call: what came
before is void, and everything comes again, each channel by itself.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, NamedTuple

if TYPE_CHECKING:
    # The decoding process does without protobuf.
    from maie_runtime.reasons import Reason, WarningReason

HEADER: Final = struct.Struct("<cBBI")
# A second of sound is 32 kB; a decoder that claims more than this is out of order.
MAX_PAYLOAD_BYTES: Final = 1024 * 1024

OPENED: Final = b"O"
SAMPLES: Final = b"S"
DONE: Final = b"D"
REFUSED: Final = b"R"


@dataclass(kw_only=True, frozen=True, slots=True)
class Limits:
    """What a recording may be and what decoding it may take; see the settings."""

    min_seconds: float
    max_seconds: float
    max_channels: int
    max_sample_rate: int
    max_damaged_share: float
    memory_bytes: int
    cpu_seconds: int


ChannelMode = Literal["mix", "split", "auto"]


@dataclass(kw_only=True, frozen=True, slots=True)
class Choice:
    """Which sound of the recording is wanted; see RecordingOptions in the contract."""

    channels: ChannelMode
    track: int
    all_tracks: bool


class Lane(NamedTuple):
    """Sound that is read by itself.

    Attributes:
        track: The audio track, from 1; 0 where one track is read.
        channel: The channel, from 1; 0 where the channels are mixed.
    """

    track: int
    channel: int


NO_LANE: Final = Lane(0, 0)


@dataclass(kw_only=True, frozen=True, slots=True)
class Track:
    """An audio track of the file; see AudioTrack in the contract."""

    track: int
    codec: str
    language: str
    title: str
    default: bool
    read: bool


@dataclass(kw_only=True, frozen=True, slots=True)
class Opened:
    """What the container says.

    Attributes:
        container: The demuxer's name as FFmpeg has it.
        codec: The codec's name as FFmpeg has it, of the first track that is read.
        sample_rate: In hertz, of that track.
        channels: The number of channels of that track.
        seconds: How long the recording claims to be; None where it does not say.
        split: Whether the channels of a track are read each by itself.
        tracks: All audio tracks, in the order of the file.
    """

    container: str
    codec: str
    sample_rate: int
    channels: int
    seconds: float | None
    split: bool
    tracks: list[Track]

    @property
    def lanes(self) -> int:
        """How many lanes are read at most: channels of one track, or tracks."""
        read = sum(track.read for track in self.tracks)
        return max(1, read) * (self.channels if self.split else 1)


@dataclass(kw_only=True, frozen=True, slots=True)
class RecordingWarning:
    """What a person should know of the recording.

    Attributes:
        reason: What it is.
        message: A sentence.
        start_seconds: Where what it is about begins; None where that is all of it.
        end_seconds: Where that ends.
    """

    reason: WarningReason
    message: str
    start_seconds: float | None = None
    end_seconds: float | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Done:
    """What decoding found.

    Attributes:
        normalized: Whether the samples are those of the recording, bit by bit.
        loudness_lufs: Integrated loudness (EBU R 128); None where silent or
            too short to measure.
        peak_dbfs: The highest sample, 0 at most; None for digital silence.
        clipping_ratio: Samples at full scale over all samples.
        packets: How many packets there were.
        damaged_packets: How many of them could not be decoded.
        warnings: What a person should know, in the recording's order.
    """

    normalized: bool
    loudness_lufs: float | None
    peak_dbfs: float | None
    clipping_ratio: float
    packets: int
    damaged_packets: int
    warnings: list[RecordingWarning] = field(default_factory=list)


@dataclass(kw_only=True, frozen=True, slots=True)
class Refused:
    """Why the recording cannot be used.

    Attributes:
        reason: Why.
        message: A sentence.
        field: The field of the request that is at fault; empty where it is the recording.
    """

    reason: Reason
    message: str
    field: str = ""


def send(
    stream: BinaryIO, kind: bytes, payload: bytes | Opened | Done | Refused, lane: Lane = NO_LANE
) -> None:
    """Writes one message and flushes it."""
    data = payload if isinstance(payload, bytes) else json.dumps(asdict(payload)).encode()
    stream.write(HEADER.pack(kind, lane.track, lane.channel, len(data)))
    stream.write(data)
    stream.flush()
