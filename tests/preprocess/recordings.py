"""Recordings of every kind, made on the fly from the sample."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.stream import Disposition

SAMPLE = Path(__file__).parents[2] / "samples" / "standup.flac"
RATE = 16_000
# A millisecond, as Matroska has it.
TICK = Fraction(1, 1000)
Samples = np.ndarray


def speech(seconds: float = 20.0) -> Samples:
    """The beginning of the sample: 16 kHz mono 16-bit, without the silence before it."""
    return _sample()[: round(seconds * RATE)]


@functools.cache
def _sample() -> Samples:
    with av.open(str(SAMPLE)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return cast(Samples, np.concatenate(frames, axis=1)[0])


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


def wav(
    sound: Samples, *, rate: int = RATE, codec: str = "pcm_s16le", layout: str = "mono"
) -> bytes:
    return encode(sound, container="wav", codec=codec, rate=rate, layout=layout)


def encode(
    sound: Samples,
    *,
    container: str,
    codec: str,
    rate: int = RATE,
    layout: str = "mono",
    video: bool = False,
) -> bytes:
    """Sound of 16 kHz mono as any file."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        # Every track has to be there before the first packet is.
        # FFmpeg takes its own encoder of Vorbis for an experiment.
        options = {"strict": "experimental"} if codec == "vorbis" else {}
        stream = cast(
            AudioStream, output.add_stream(codec, rate=rate, layout=layout, options=options)
        )
        if video:
            _picture(output)
        if codec == "wmav2":
            # The rate that encoders have by default is none that this one knows.
            stream.bit_rate = 64_000
        if not stream.codec_context.is_open:
            stream.codec_context.open()
        resampler = AudioResampler(
            stream.format.name, layout, rate, frame_size=stream.codec_context.frame_size or 4096
        )
        for frame in resampler.resample(_frame(sound)) + resampler.resample(None):
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return target.getvalue()


def remuxed(
    content: bytes,
    *,
    container: str,
    shift: Callable[[float], float] = lambda _: 0.0,
    keep: Callable[[float], bool] = lambda _: True,
    video: bool = False,
    options: dict[str, str] | None = None,
) -> bytes:
    """The same packets in another file.

    Args:
        content: The file that they come from.
        container: FFmpeg's name of the other one.
        shift: How many seconds later a packet is, by its own time in seconds.
        keep: Which packets there are, by their time.
        video: Whether a picture track begins at 0.
        options: Those of FFmpeg's muxer.
    """
    target = io.BytesIO()
    with (
        av.open(io.BytesIO(content), "r") as source,
        av.open(target, "w", format=container, options=options or {}) as output,
    ):
        sound = source.streams.audio[0]
        stream = output.add_stream_from_template(sound)
        if video:
            _picture(output)
        for packet in source.demux(sound):
            if packet.pts is None or packet.time_base is None:
                continue
            seconds = float(packet.pts * packet.time_base)
            if not keep(seconds):
                continue
            moved = round(shift(seconds) / packet.time_base)
            packet.pts += moved
            packet.dts = packet.pts
            packet.stream = stream
            output.mux(packet)
    return target.getvalue()


@dataclass(kw_only=True, frozen=True)
class Track:
    """One of several audio tracks of a file."""

    sound: Samples
    codec: str = "libopus"
    default: bool = False
    language: str = ""
    title: str = ""


def tracks(*wanted: Track, container: str = "matroska") -> bytes:
    """Sound of 16 kHz mono as the tracks of one file."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        streams = []
        for track in wanted:
            stream = cast(AudioStream, output.add_stream(track.codec, rate=48_000, layout="mono"))
            stream.disposition = Disposition.default if track.default else Disposition(0)
            for name in ("language", "title"):
                if value := getattr(track, name):
                    stream.metadata[name] = value
            stream.codec_context.open()
            streams.append(stream)
        for track, stream in zip(wanted, streams, strict=True):
            size = stream.codec_context.frame_size or 4096
            resampler = AudioResampler(stream.format.name, "mono", 48_000, frame_size=size)
            for frame in resampler.resample(_frame(track.sound)) + resampler.resample(None):
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return target.getvalue()


def beside(*channels: Samples, rate: int = RATE) -> bytes:
    """Channels of the same rate as one WAV file; the shorter end in silence."""
    longest = max(map(len, channels))
    rows = [np.pad(channel, (0, longest - len(channel))) for channel in channels]
    sound = np.stack(rows, axis=1).astype(np.int16)
    return raw_wav(sound.tobytes(), channels=len(channels), rate=rate)


def silent_video() -> bytes:
    """An MP4 with a picture and no sound."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as output:
        _picture(output)
    return target.getvalue()


def long_flac(
    hours: float, *, rate: int = 8000, channels: int = 1, states_length: bool = True
) -> bytes:
    """Hours of silence in next to no bytes: the largest blocks, of one value each."""
    block = 65_535
    count = -(-round(hours * 3600 * rate) // block)
    # Block sizes, frame sizes (unknown), then rate, channels, 16 bits and the length, packed.
    packed = rate << 44 | (channels - 1) << 41 | 15 << 36 | count * block * states_length
    info = block.to_bytes(2, "big") * 2 + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    frames = (_silent_flac_frame(number, block, channels) for number in range(count))
    return b"fLaC\x80\x00\x00\x22" + info + b"".join(frames)


def _silent_flac_frame(number: int, block: int, channels: int) -> bytes:
    # Sync; block size at the end, rate as said before; channels of 16 bits; number; block size.
    utf8 = chr(number).encode("utf-8", "surrogatepass")
    header = b"\xff\xf8\x70" + bytes([(channels - 1) << 4 | 8]) + utf8
    header += (block - 1).to_bytes(2, "big")
    frame = header + bytes([_crc(header, 8, 0x07)]) + bytes(3 * channels)
    return frame + _crc(frame, 16, 0x8005).to_bytes(2, "big")


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    value = 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value <<= 1
            if value >> bits:
                value ^= 1 << bits | polynomial
    return value


def raw_wav(data: bytes, *, channels: int, rate: int, tag: int = 1, bits: int = 16) -> bytes:
    """A WAV file with these values in its header, without a channel mask."""
    block = channels * bits // 8
    fmt = b"".join(
        value.to_bytes(size, "little")
        for value, size in (
            (tag, 2), (channels, 2), (rate, 4),
            (rate * block % 2**32, 4), (block % 2**16, 2), (bits, 2),
        )
    )  # fmt: skip
    body = b"WAVEfmt " + len(fmt).to_bytes(4, "little") + fmt + b"data"
    body += len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def wav_samples(pieces: Iterable[bytes]) -> Samples:
    """The samples of stored chunks, one after the other."""
    return np.concatenate([np.frombuffer(piece[44:], "<i2") for piece in pieces])


def _frame(sound: Samples) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(sound[np.newaxis], format="s16", layout="mono")
    frame.sample_rate = RATE
    frame.pts = 0
    return frame


def _picture(output: av.container.OutputContainer) -> None:
    stream = output.add_stream("mpeg4", rate=10)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
    for number in range(20):
        picture.pts = number
        output.mux(stream.encode(picture))
    output.mux(stream.encode(None))
