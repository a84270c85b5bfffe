"""The decoding process: a recording on standard input, messages of `wire` on standard output.

Decoders are the part of this product that strangers' bytes reach first. They
run in a process of their own that can be killed, has limits on memory and
processor time, cannot open a file or a socket, and never learns a file's name.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
from collections.abc import Iterator
from typing import BinaryIO, NoReturn, cast

# PyAV imports the last four only where a file has such a track, and by then
# this process cannot open files any more.
import av
import av.subtitles.codeccontext
import av.subtitles.stream
import av.video.codeccontext
import av.video.stream
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from maie_preprocess import formats, wire
from maie_preprocess.measure import Meter, NotANumberError
from maie_preprocess.normalize import SAMPLE_RATE, Normalizer, RefusedError, check_shape
from maie_preprocess.timeline import Timeline

SAMPLE_BYTES = 2
# A recording may end this much before its header says without being called
# truncated: encoders round, and some count a last packet that they never wrote.
SHORTFALL_SECONDS = 2.0
SHORTFALL_SHARE = 0.01


def confine(limits: wire.Limits) -> None:
    """Takes from this process what decoding does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    # At the soft limit comes SIGXCPU, which says why; at the hard one SIGKILL, which does not.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Standard input, output and error are open; nothing else will ever be.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


class _Nameless:
    """A file without a name: FFmpeg would take one for a hint, or for a path."""

    def __init__(self, source: BinaryIO) -> None:
        self.read = source.read
        self.seek = source.seek
        self.tell = source.tell


@contextlib.contextmanager
def _open(source: BinaryIO) -> Iterator[InputContainer]:
    head = source.read(formats.HEAD_BYTES)
    source.seek(0)
    if not head:
        raise RefusedError("AUDIO_EMPTY", "The recording is empty; submit a file with sound.")
    try:
        container = av.open(
            _Nameless(source), "r", container_options=formats.OPTIONS, metadata_errors="ignore"
        )
    except av.error.FFmpegError as error:
        if formats.looks_like_audio(head):
            raise _corrupt("it cannot be opened") from error
        raise RefusedError(
            "UNSUPPORTED_FORMAT",
            "The file is not a recording that can be read; submit WAV, MP3, M4A, MP4, FLAC, "
            "Ogg, Opus or WebM.",
        ) from error
    with container:
        yield container


def _corrupt(why: str) -> RefusedError:
    return RefusedError("AUDIO_CORRUPT", f"The recording is damaged: {why}; export it again.")


def _pick(container: InputContainer) -> AudioStream:
    """The first audio stream, if its codec is one that is read."""
    if not container.streams.audio:
        if container.streams:
            raise RefusedError(
                "UNSUPPORTED_FORMAT", "The file has no audio track; submit one that has sound."
            )
        raise _corrupt("it holds no track")
    stream = container.streams.audio[0]
    codec = _codec(stream)
    if not formats.codec_is_read(codec):
        raise RefusedError(
            "UNSUPPORTED_FORMAT",
            f"The recording's codec {codec!r} is not read; export it as WAV, FLAC, MP3 or AAC.",
        )
    return stream


def _codec(stream: AudioStream) -> str:
    # A stream whose codec FFmpeg cannot name has no codec context at all.
    context = stream.codec_context
    return context.codec.canonical_name if context is not None else "unknown"


def _start_seconds(container: InputContainer) -> float | None:
    """What the clock shows where the file begins to play; None where no track says."""
    starts = [
        float(stream.start_time * stream.time_base)
        for stream in (*container.streams.audio, *container.streams.video)
        if stream.start_time is not None
        and stream.time_base is not None
        # A cover is no film.
        and not stream.disposition & Disposition.attached_pic
    ]
    return min(starts, default=None)


def _claimed_seconds(container: InputContainer, stream: AudioStream) -> float | None:
    """How long the recording claims to be; None where it does not say."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration is not None else None


def _stated_seconds(opened: wire.Opened, source: BinaryIO) -> float | None:
    """The length that the header vouches for; None where it is an estimate."""
    if opened.seconds is None or not formats.states_length(opened.container):
        return None
    size = os.fstat(source.fileno()).st_size
    # FFmpeg takes a RIFF file's length from what is there; the header knows better.
    return opened.seconds * max(1.0, formats.riff_size(os.pread(source.fileno(), 8, 0)) / size)


class _Decoding:
    """Decodes one stream and counts what goes wrong on the way."""

    def __init__(
        self, stream: AudioStream, start_seconds: float | None, limits: wire.Limits
    ) -> None:
        self.meter = Meter()
        self.timeline = Timeline(start_seconds, limits.max_seconds)
        self.normalizer = Normalizer(limits, self.meter)
        self.packets = 0
        self.damaged = 0
        self.broke_off = False
        self.samples = 0
        self._stream = stream

    def run(self, container: InputContainer) -> Iterator[bytes]:
        """Gives 16 kHz mono 16-bit samples, about a second at a time."""
        packets = container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except av.error.FFmpegError:
                self.broke_off = True
                break
            yield from self._count(self._decode(packet))
        for frame in self.timeline.flush():
            yield from self._count(self.normalizer.push(frame))
        yield from self._count(self.normalizer.flush())

    def _decode(self, packet: av.Packet) -> Iterator[bytes]:
        self.packets += packet.size > 0
        try:
            frames = cast(list[AudioFrame], packet.decode())
        except MemoryError:
            raise
        except av.error.FFmpegError:
            if packet.size:
                self.damaged += 1
                self.timeline.damage()
            return
        for frame in frames:
            for placed in self.timeline.push(frame):
                yield from self.normalizer.push(placed)

    def _count(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.samples += len(piece) // SAMPLE_BYTES
            yield piece

    def judge(self, limits: wire.Limits, stated_seconds: float | None) -> None:
        """Says at the end whether this was a whole recording.

        A few damaged packets are left out; more than the limit, or an end far
        before the one that the header states, make the recording corrupt: a
        transcript that lacks its end without saying so is worse than none.

        Raises:
            RefusedError: AUDIO_EMPTY, AUDIO_CORRUPT or AUDIO_TOO_SHORT.
        """
        seconds = self.samples / SAMPLE_RATE
        if stated_seconds is not None:
            slack = max(SHORTFALL_SECONDS, SHORTFALL_SHARE * stated_seconds)
            if stated_seconds - seconds > slack or (stated_seconds and not self.samples):
                raise _corrupt(
                    f"it breaks off after {seconds:.1f} of the {stated_seconds:.1f} s "
                    "that it announces"
                )
        if self.broke_off:
            raise _corrupt(f"it cannot be read beyond {seconds:.1f} s")
        if self.packets and (
            self.damaged > limits.max_damaged_share * self.packets or not self.samples
        ):
            raise _corrupt(f"{self.damaged} of its {self.packets} packets cannot be decoded")
        if not self.samples:
            raise RefusedError("AUDIO_EMPTY", "The recording holds no sound; submit another.")
        if self.samples < limits.min_seconds * SAMPLE_RATE:
            raise RefusedError(
                "AUDIO_TOO_SHORT",
                f"The recording lasts {self.samples / SAMPLE_RATE:.2f} s; submit at least "
                f"{limits.min_seconds:g} s.",
            )


def decode(source: BinaryIO, target: BinaryIO, limits: wire.Limits) -> None:
    """Decodes a recording and sends it, message by message.

    Args:
        source: The recording; has to be seekable and unbuffered.
        target: Takes the messages.
        limits: What the recording may be.

    Raises:
        RefusedError: The recording cannot be used.
    """
    with _open(source) as container:
        stream = _pick(container)
        stream.codec_context.thread_count = 1
        check_shape(stream.codec_context.channels, stream.codec_context.sample_rate, limits)
        opened = wire.Opened(
            container=container.format.name,
            codec=_codec(stream),
            sample_rate=stream.codec_context.sample_rate,
            channels=stream.codec_context.channels,
            seconds=_claimed_seconds(container, stream),
        )
        wire.send(target, wire.OPENED, opened)
        decoding = _Decoding(stream, _start_seconds(container), limits)
        for piece in decoding.run(container):
            wire.send(target, wire.SAMPLES, piece)
        decoding.judge(limits, _stated_seconds(opened, source))
        wire.send(target, wire.DONE, _report(decoding))


def _report(decoding: _Decoding) -> wire.Done:
    return wire.Done(
        normalized=decoding.normalizer.kept,
        loudness_lufs=decoding.meter.loudness_lufs(),
        peak_dbfs=decoding.meter.peak_dbfs,
        clipping_ratio=decoding.meter.clipping_ratio,
        packets=decoding.packets,
        damaged_packets=decoding.damaged,
        warnings=decoding.timeline.gaps.warnings(),
    )


def main() -> NoReturn:
    """Decodes standard input within the limits named by the only argument."""
    limits = wire.Limits(**json.loads(sys.argv[1]))
    av.logging.set_level(av.logging.PANIC)
    confine(limits)
    source, target = open(0, "rb", buffering=0), sys.stdout.buffer  # noqa: SIM115
    try:
        decode(source, target, limits)
    except RefusedError as refused:
        _refuse(target, refused)
    except NotANumberError:
        _refuse(target, _corrupt("it holds samples that are no numbers"))
    except MemoryError:
        _refuse(target, _corrupt("decoding it takes more memory than a recording may"))
    except av.error.FFmpegError:
        _refuse(target, _corrupt("what it decodes to makes no sense"))
    except BrokenPipeError:
        pass  # The service went away; there is nobody to tell.
    # Without the interpreter's own farewell, which would open files.
    os._exit(0)


def _refuse(target: BinaryIO, refused: RefusedError) -> None:
    answer = wire.Refused(reason=refused.reason, message=refused.message)
    wire.send(target, wire.REFUSED, answer)


if __name__ == "__main__":
    main()
