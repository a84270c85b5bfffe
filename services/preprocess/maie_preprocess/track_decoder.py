"""Decodes the packets of one track to lanes of samples. Runs in the decoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream

from maie_preprocess import amr, completeness, formats, wire
from maie_preprocess.completeness import Ending, Statement
from maie_preprocess.measure import Meter
from maie_preprocess.normalize import SAMPLE_RATE, Normalizer, corrupt
from maie_preprocess.reader import Reader
from maie_preprocess.timeline import Timeline

Piece = tuple[wire.Lane, bytes]


def _decoder_of(stream: AudioStream) -> AudioCodecContext:
    better = formats.BETTER_DECODERS.get(stream.codec_context.codec.canonical_name)
    if better is None:
        return stream.codec_context
    decoder = cast(AudioCodecContext, av.CodecContext.create(better, "r"))
    decoder.sample_rate = stream.codec_context.sample_rate
    decoder.layout = stream.codec_context.layout
    return decoder


class TrackDecoder:
    """Decodes one track and counts damaged packets.

    Args:
        stream: The track.
        number: The track's number in its lanes; 0 if it is the only one.
        mode: What to do with its channels.
        start_seconds: The container's clock at the start of the file.
        stated: The track's stated length.
        limits: The limits on the recording.
    """

    def __init__(
        self,
        stream: AudioStream,
        number: int,
        mode: wire.ChannelMode,
        start_seconds: float | None,
        stated: Statement,
        limits: wire.Limits,
    ) -> None:
        self.meter = Meter()
        self.timeline = Timeline(start_seconds, limits.max_seconds)
        self.normalizer = Normalizer(limits, self.meter, mode)
        self.packets = 0
        self.damaged = 0
        self.broke_off = False
        self.stream = stream
        self.split = mode == "split"
        self.is_call = False
        """Whether the track is a call and must be decoded again with split channels."""
        self._number = number
        self._stated = stated
        self._decoder = _decoder_of(stream)
        self._last_position: int | None = None

    @property
    def samples(self) -> int:
        """The number of samples so far, at 16 kHz."""
        return self.normalizer.samples

    def push(self, packet: av.Packet) -> Iterator[Piece]:
        """Adds a packet; yields 16 kHz mono 16-bit samples, about a second at a time."""
        yield from self._count(self._decode(packet))
        self.is_call = self.normalizer.is_call

    def finish(self) -> Iterator[Piece]:
        """Yields the remaining samples."""
        for frame in self.timeline.flush():
            yield from self._count(self.normalizer.push(frame))
        yield from self._count(self.normalizer.finish())
        self.is_call = self.normalizer.is_call

    def _decode(self, packet: av.Packet) -> Iterator[tuple[int, bytes]]:
        self.packets += packet.size > 0
        if packet.size and packet.pos is not None:
            self._last_position = packet.pos
        if self._stated.container == "mpegts" and packet.is_corrupt:
            # Transport packets are missing before it or in it.
            self.timeline.damage()
        if self._stated.container == "amr" and packet.size and not amr.is_frame(bytes(packet)):
            self._note_damage()
        try:
            frames = self._decoder.decode(packet)
        except MemoryError:
            raise
        except av.error.FFmpegError:
            if packet.size:
                self._note_damage()
            return
        for frame in frames:
            for placed in self.timeline.push(frame):
                yield from self.normalizer.push(placed)

    def _note_damage(self) -> None:
        self.damaged += 1
        self.timeline.damage()

    def _count(self, pieces: Iterator[tuple[int, bytes]]) -> Iterator[Piece]:
        for channel, piece in pieces:
            yield wire.Lane(self._number, channel), piece

    def judge(self, file: Reader, limits: wire.Limits) -> list[wire.RecordingWarning]:
        """Checks the finished track for damage and truncation.

        A few damaged packets are skipped; more than the limit, or an end far
        before the stated one, make the recording corrupt: a transcript that
        silently lacks its end is worse than none.

        Raises:
            RefusedError: AUDIO_CORRUPT.
        """
        seconds = self.samples / SAMPLE_RATE
        ending = Ending(
            seconds=seconds,
            late_seconds=self.timeline.late_seconds,
            last_position=self._last_position,
        )
        short = completeness.judge(file, self._stated, ending)
        if self.broke_off:
            raise corrupt(f"it cannot be read beyond {seconds:.1f} s")
        if self.packets and (
            self.damaged > limits.max_damaged_share * self.packets or not self.samples
        ):
            raise corrupt(f"{self.damaged} of its {self.packets} packets cannot be decoded")
        cancelled = self.normalizer.cancelled.warnings(seconds)
        return [*cancelled, *self.timeline.gaps.warnings(), *short]
