"""Turns the messages of a track into 16 kHz audio, whatever its encoding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from maie.live.v1 import live_pb2 as live
from maie_audio.decoders import Decoder, Decoders
from maie_audio.formats import Format, Part
from maie_core.samples import SAMPLE_BYTES
from maie_gateway.live.formats import channel_numbers, stream_encoding
from maie_gateway.live.tracks.reader import AudioReader


@dataclass(kw_only=True, frozen=True, slots=True)
class Read:
    """What a message became.

    Attributes:
        parts: The audio that is ready: 16-bit little-endian PCM, or the length of silence in
            samples. Channels that are split are interleaved.
        length: How long the message is, in samples; part of it may come with the next one.
    """

    parts: list[Part] = field(default_factory=list)
    length: int = 0


class TrackReader(Protocol):
    """Reads the messages of one track, one at a time."""

    @property
    def state(self) -> bytes:
        """What another reader needs for the next message; see `Mark`."""
        ...

    async def read(self, content: bytes) -> Read:
        """Reads a message with audio.

        Raises:
            StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID or AUDIO_FORMAT_INVALID, or
                INTERNAL with DECODER_FAILED.
        """
        ...

    async def silence(self) -> Read:
        """Gives what is held back, before silence.

        Raises:
            StageError: INTERNAL with DECODER_FAILED.
        """
        ...

    def rest(self) -> Read:
        """Gives what is held back, at the end of an utterance."""
        ...

    def close(self) -> None:
        """Ends reading."""
        ...


def track_reader(settled: live.AudioFormat, state: bytes, decoders: Decoders) -> TrackReader:
    """The reader for a track.

    Args:
        settled: The audio's format.
        state: The state of the reader before this one; empty at the track's beginning.
        decoders: Decode compressed audio.
    """
    encoding = stream_encoding(settled)
    if encoding is None:
        return _SampleReader(settled)
    channels = len(channel_numbers(settled))
    stated = Format(
        encoding=encoding,
        sample_rate=settled.sample_rate_hertz,
        channels=settled.channels,
        split=channels > 1,
    )
    return _StreamReader(decoders.open(stated, state), state, channels)


class _SampleReader:
    """Reads samples, in this process."""

    state = b""

    def __init__(self, settled: live.AudioFormat) -> None:
        self._reader = AudioReader(settled)

    async def read(self, content: bytes) -> Read:
        before = self._reader.position
        pcm = self._reader.read(content)
        return Read(parts=[pcm], length=self._reader.position - before)

    async def silence(self) -> Read:
        return self.rest()

    def rest(self) -> Read:
        return Read(parts=[self._reader.flush()])

    def close(self) -> None:
        pass


class _StreamReader:
    """Reads a compressed stream, in a decoding process."""

    def __init__(self, decoder: Decoder, state: bytes, channels: int) -> None:
        self.state = state
        self._decoder = decoder
        self._frame_bytes = SAMPLE_BYTES * channels

    async def read(self, content: bytes) -> Read:
        decoded = await self._decoder.decode(content)
        self.state = decoded.state
        return self._read(decoded.parts)

    async def silence(self) -> Read:
        decoded = await self._decoder.silence()
        self.state = decoded.state
        return self._read(decoded.parts)

    def _read(self, parts: list[Part]) -> Read:
        size = self._frame_bytes
        length = sum(part if isinstance(part, int) else len(part) // size for part in parts)
        return Read(parts=parts, length=length)

    def rest(self) -> Read:
        # The last millisecond comes with the next message.
        return Read()

    def close(self) -> None:
        self._decoder.close()
