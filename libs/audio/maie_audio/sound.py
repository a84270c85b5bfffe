"""Decodes packets to 16 kHz 16-bit samples. Runs in the decoding process."""

from __future__ import annotations

from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame

from maie_audio.formats import damaged
from maie_audio.packets import Head, Packet
from maie_audio.resampler import Resampler


class Sound:
    """The sound of one stream of packets.

    Args:
        head: Of the stream.
        skip: How many decoded samples to drop first.
        split: Whether the channels are kept apart, interleaved, and not mixed.
    """

    def __init__(self, head: Head, skip: int, *, split: bool = False) -> None:
        self.skip = skip
        self._decoder = cast(AudioCodecContext, av.CodecContext.create(head.codec, "r"))
        self._decoder.thread_count = 1
        self._decoder.extradata = head.extradata
        self._decoder.sample_rate = head.sample_rate
        if head.layout:
            self._decoder.layout = head.layout
        self._resampler = Resampler(split=split)

    @property
    def owed(self) -> int:
        """How many samples the resampler keeps."""
        return self._resampler.owed

    def decode(self, packet: Packet) -> list[AudioFrame]:
        """Decodes a packet.

        Raises:
            RefusedError: AUDIO_PART_INVALID.
        """
        try:
            return self._decoder.decode(av.Packet(packet.content))
        except av.error.FFmpegError as error:
            raise damaged("A packet cannot be decoded") from error

    def convert(self, frames: list[AudioFrame], keep: int | None) -> bytes:
        """Converts decoded frames to samples. The resampler keeps the last millisecond.

        Args:
            frames: Of one packet.
            keep: How many of their samples are sound; None for all.
        """
        rest = sum(frame.samples for frame in frames) if keep is None else keep
        sound = bytearray()
        for frame in frames:
            kept = _cut(frame, self.skip, min(rest, frame.samples))
            self.skip -= min(self.skip, frame.samples)
            rest -= min(rest, frame.samples)
            if kept is not None:
                sound += self._resampler.push(kept)
        return bytes(sound)

    def flush(self) -> bytes:
        """Gives what the resampler keeps, before a gap."""
        return self._resampler.flush()


def _cut(frame: AudioFrame, begin: int, end: int) -> AudioFrame | None:
    """A part of a frame; None if nothing is left."""
    if begin == 0 and end == frame.samples:
        return frame
    if begin >= end:
        return None
    frame.pts = None
    fifo = AudioFifo()
    fifo.write(frame)
    if begin:
        fifo.read(begin)
    return fifo.read(end - begin)
