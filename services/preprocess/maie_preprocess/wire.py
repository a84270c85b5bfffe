"""The protocol between the decoding process and the service, over a pipe.

A message is one byte of kind, one of track, one of channel, four bytes of length
(little endian) and the payload. The order of kinds is OPENED, any number of
SAMPLES, DONE; or REFUSED instead of any of them, as the last. A second OPENED
means that the recording is a call: all earlier messages are void, and everything
follows again, with separate channels.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, NamedTuple

if TYPE_CHECKING:
    # The decoding process does not load protobuf.
    from maie_core.reasons import Reason, WarningReason

HEADER: Final = struct.Struct("<cBBI")
# A second of sound is 32 kB; a larger payload is an error of the decoder.
MAX_PAYLOAD_BYTES: Final = 1024 * 1024

OPENED: Final = b"O"
SAMPLES: Final = b"S"
DONE: Final = b"D"
REFUSED: Final = b"R"


@dataclass(kw_only=True, frozen=True, slots=True)
class Limits:
    """The limits on a recording and its decoding; see the settings."""

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
    """Which tracks and channels to decode; see RecordingOptions in the contract.

    Attributes:
        channels: How several channels are read.
        track: The track, from 1; 0 for the default one.
        all_tracks: Whether all tracks are read.
        loudness_range: Whether the loudness range is reported. A worker of a release that does not
            know it, and whose package was replaced under it, does not ask.
    """

    channels: ChannelMode
    track: int
    all_tracks: bool
    loudness_range: bool = False


class Lane(NamedTuple):
    """A channel or track that is transcribed separately.

    Attributes:
        track: The audio track, from 1; 0 if only one track is decoded.
        channel: The channel, from 1; 0 if the channels are mixed.
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
    """The container's metadata.

    Attributes:
        container: FFmpeg's name of the demuxer.
        codec: FFmpeg's name of the codec of the first decoded track.
        sample_rate: In hertz, of that track.
        channels: The number of channels of that track.
        seconds: The stated length of the recording; None if not stated.
        split: Whether the channels of a track are transcribed separately.
        tracks: All audio tracks, in file order.
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
        """The most lanes: channels of one track, or tracks."""
        read = sum(track.read for track in self.tracks)
        return max(1, read) * (self.channels if self.split else 1)


@dataclass(kw_only=True, frozen=True, slots=True)
class RecordingWarning:
    """A warning about the recording.

    Attributes:
        reason: The reason.
        message: A sentence.
        start_seconds: The start of the affected part; None for the whole recording.
        end_seconds: The end of that part.
        metadata: The values in the sentence, as `Warning.metadata` names them.
    """

    reason: WarningReason
    message: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    metadata: dict[str, float] = field(default_factory=dict)


@dataclass(kw_only=True, frozen=True, slots=True)
class Done:
    """The result of decoding.

    Attributes:
        normalized: Whether the samples equal those of the recording bitwise.
        loudness_lufs: Integrated loudness (EBU R 128); None if silent or
            too short to measure.
        loudness_range_lu: Loudness range (EBU Tech 3342); None likewise.
        peak_dbfs: The highest sample, 0 at most; None for digital silence.
        clipping_ratio: Samples at full scale over all samples.
        packets: The number of packets.
        damaged_packets: The number of packets that could not be decoded.
        warnings: The warnings, in time order.
    """

    normalized: bool
    loudness_lufs: float | None
    peak_dbfs: float | None
    clipping_ratio: float
    packets: int
    damaged_packets: int
    warnings: list[RecordingWarning] = field(default_factory=list)
    loudness_range_lu: float | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Refused:
    """Why the recording cannot be used.

    Attributes:
        reason: Why.
        message: A sentence.
        field: The invalid field of the request; empty if the recording is the problem.
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
