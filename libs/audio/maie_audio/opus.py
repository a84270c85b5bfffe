"""Packets of Opus (RFC 6716) and the head of a stream (RFC 7845). Runs in the decoding process."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from maie_audio.formats import MAX_PENDING_BYTES, damaged, other_format
from maie_audio.packets import Head, Packet, State

CODEC: Final = "libopus"
# Decoders of Opus give this rate, whatever the encoder's was.
SAMPLE_RATE: Final = 48_000
# Rates that an encoder takes.
RATES: Final = (8_000, 12_000, 16_000, 24_000, 48_000)
MAX_PACKET_SAMPLES: Final = SAMPLE_RATE * 120 // 1000
_HEAD: Final = struct.Struct("<8sBBHIhB")
_MAGIC: Final = b"OpusHead"
# Samples of a frame by the last two bits of the configuration.
_SILK_FRAMES: Final = (480, 960, 1920, 2880)
_HYBRID_FRAMES: Final = (480, 960, 480, 960)
_CELT_FRAMES: Final = (120, 240, 480, 960)


def packet_samples(packet: bytes) -> int:
    """The length of a packet in samples at 48 kHz, by its first bytes.

    Raises:
        RefusedError: AUDIO_PART_INVALID, if it is no packet.
    """
    if not packet:
        raise damaged("An Opus packet is empty")
    config, code = packet[0] >> 3, packet[0] & 3
    frames = _SILK_FRAMES if config < 12 else _HYBRID_FRAMES if config < 16 else _CELT_FRAMES
    if code == 3 and len(packet) < 2:
        raise damaged("An Opus packet ends within its head")
    count = (1, 2, 2, packet[1] & 0x3F if code == 3 else 0)[code]
    samples = count * frames[config & 3]
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        raise damaged("An Opus packet has a length that Opus does not have")
    return samples


def head(channels: int, pre_skip: int = 0, gain: int = 0) -> Head:
    """The head for a decoder that mixes one or two channels to one.

    Args:
        channels: Of the stream.
        pre_skip: Samples at 48 kHz to drop at its beginning.
        gain: In 1/256 dB.
    """
    # FFmpeg would drop the pre-skip again wherever a decoder continues another.
    mono = _HEAD.pack(_MAGIC, 1, 1, 0, SAMPLE_RATE, gain, 0)
    return Head(
        codec=CODEC,
        extradata=mono,
        sample_rate=SAMPLE_RATE,
        channels=channels,
        layout="mono",
        pre_skip=pre_skip,
    )


def unmixed(mixed: Head) -> Head:
    """The head for a decoder that keeps the channels, from one that mixes them."""
    extradata = bytearray(mixed.extradata)
    extradata[len(_MAGIC) + 1] = mixed.channels
    return replace(mixed, extradata=bytes(extradata), layout="stereo")


def parse_head(content: bytes) -> Head:
    """Reads an OpusHead.

    Raises:
        RefusedError: AUDIO_FORMAT_INVALID.
    """
    if len(content) < _HEAD.size or not content.startswith(_MAGIC):
        raise other_format("The stream has no head of Opus")
    _, version, channels, pre_skip, _, gain, family = _HEAD.unpack_from(content)
    if version > 15 or family != 0 or channels not in {1, 2}:
        raise other_format("The Opus stream is neither mono nor stereo")
    return head(channels, pre_skip, gain)


class PacketReader:
    """Raw packets: each message is one.

    Args:
        channels: As stated; 0 for mono.
        state: Of the reader that this one continues; None at the beginning.
    """

    def __init__(self, channels: int, state: State | None) -> None:
        self.pending = bytearray()
        begun = state is not None and bool(state["begun"])
        self._head: Head | None = None if begun else head(channels or 1)

    def push(self, data: bytes) -> Iterator[Head | Packet]:
        """See `Reader`."""
        if len(data) > MAX_PENDING_BYTES:
            raise damaged("An Opus packet is too large")
        if self._head is not None:
            yield self._head
            self._head = None
        yield Packet(content=data, samples=packet_samples(data))

    def uncertain(self) -> Packet | None:
        """See `Reader`."""
        return None

    def accept(self) -> None:
        """See `Reader`."""

    def state(self) -> State:
        """See `Reader`."""
        return {"begun": self._head is None}
