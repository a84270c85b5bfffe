"""What a reader finds in the bytes of a track. Runs in the decoding process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(kw_only=True, frozen=True, slots=True)
class Head:
    """The beginning of a stream of packets, and what its decoder needs.

    Attributes:
        codec: FFmpeg's name of the decoder.
        extradata: What the decoder is made with.
        sample_rate: Of the packets and their times, in hertz.
        channels: Of the stream.
        layout: FFmpeg's name of the channels that the decoder gives; empty for the stream's own.
        pre_skip: How many samples at the start are no sound.
    """

    codec: str
    extradata: bytes
    sample_rate: int
    channels: int
    layout: str = ""
    pre_skip: int = 0


@dataclass(kw_only=True, frozen=True, slots=True)
class Packet:
    """What one call of a decoder takes.

    Attributes:
        content: Its bytes.
        samples: Its length, in samples of the head's rate.
        start: Where it begins by the stream's own clock, in the same samples; None if it
            follows the packet before it.
        keep: How many of its samples are sound; None for all.
    """

    content: bytes
    samples: int
    start: int | None = None
    keep: int | None = None


State = dict[str, int | str | None]
"""What a reader keeps from one message to the next, apart from bytes."""


class Reader(Protocol):
    """Finds the packets in the bytes of a track, which may be cut anywhere."""

    @property
    def pending(self) -> bytearray:
        """The bytes that wait for more of them."""
        ...

    def push(self, data: bytes) -> Iterator[Head | Packet]:
        """Yields what a message completes.

        Raises:
            RefusedError: The bytes are not of this format.
        """
        ...

    def uncertain(self) -> Packet | None:
        """The pending bytes as a packet, if they are probably whole.

        It is taken by `accept` once it is decoded.
        """
        ...

    def accept(self) -> None:
        """Takes the uncertain packet out of the pending bytes."""
        ...

    def state(self) -> State:
        """What another reader needs to go on, together with the pending bytes."""
        ...
