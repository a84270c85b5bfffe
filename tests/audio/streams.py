"""Real speech in the formats of live audio, and what a decoder of whole files makes of it."""

from __future__ import annotations

import functools
import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from maie_audio.formats import Encoding, Part

READING = Path(__file__).parents[1] / "data" / "readings" / "two-cities.flac"
SECONDS = 6
RATE = 16_000
CONTAINERS: dict[Encoding, tuple[str, str, int]] = {
    "ogg_opus": ("ogg", "libopus", 48_000),
    "webm_opus": ("webm", "libopus", 48_000),
    "flac": ("flac", "flac", 44_100),
}


@functools.cache
def speech(rate: int = RATE, channels: int = 1) -> np.ndarray:
    """A reading, int16; channels by samples."""
    with av.open(str(READING)) as file:
        layout = "mono" if channels == 1 else "stereo"
        resampler = av.AudioResampler("s16p", layout, rate)
        frames = [each for frame in file.decode(audio=0) for each in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    return samples[:, : SECONDS * rate]


def _frames(samples: np.ndarray, rate: int, size: int):
    for begin in range(0, samples.shape[1], size):
        part = np.ascontiguousarray(samples[:, begin : begin + size].T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout=f"{len(samples)}c")
        frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
        yield frame


@functools.cache
def stream(
    encoding: Encoding,
    channels: int = 1,
    without: tuple[float, float] = (0.0, 0.0),
    tracks: int = 1,
) -> bytes:
    """The reading in a container; see `contained`."""
    rate = CONTAINERS[encoding][2]
    samples = speech(rate, channels)
    return contained(encoding, samples, rate, without, tracks)


def contained(
    encoding: Encoding,
    samples: np.ndarray,
    rate: int,
    without: tuple[float, float] = (0.0, 0.0),
    tracks: int = 1,
) -> bytes:
    """Samples in a container, as a recorder writes it to a pipe.

    Args:
        encoding: The container and codec.
        samples: Channels by samples, int16.
        rate: Their rate.
        without: The packets that are lost, from one second to another.
        tracks: How many tracks there are; the second is silent.
    """
    container, codec, _ = CONTAINERS[encoding]
    file = io.BytesIO()
    options = {"live": "1", "cluster_time_limit": "1000"} if container == "webm" else {}
    with av.open(file, "w", format=container, options=options) as output:
        layout = f"{len(samples)}c"
        added = [output.add_stream(codec, rate=rate, layout=layout) for _ in range(tracks)]
        for number, track in enumerate(added):
            for packet in _encoded(track, samples * (number == 0)):
                seconds = float((packet.pts or 0) * packet.time_base)
                if not without[0] <= seconds < without[1]:
                    output.mux(packet)
    return file.getvalue()


def _encoded(track, samples: np.ndarray):
    fifo = av.AudioFifo()
    for frame in _frames(samples, track.rate, track.rate // 10):
        fifo.write(frame)
        while (part := fifo.read(track.codec_context.frame_size or 4096)) is not None:
            yield from track.encode(part)
    if (rest := fifo.read(0, partial=True)) is not None:
        yield from track.encode(rest)
    yield from track.encode(None)


@functools.cache
def sides(rate: int, channels: int = 2) -> np.ndarray:
    """Another part of the reading on each channel, int16; channels by samples."""
    (sound,) = speech(rate)
    return np.stack([np.roll(sound, number * rate * 7 // 10) for number in range(channels)])


@functools.cache
def call(encoding: Encoding, channels: int = 2) -> bytes:
    """The sides in a container."""
    rate = CONTAINERS[encoding][2]
    return contained(encoding, sides(rate, channels), rate)


@functools.cache
def silent_flac() -> bytes:
    """Silence in FLAC, whose frames hold a tenth of a second in 14 bytes."""
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as output:
        track = output.add_stream("flac", rate=192_000, layout="mono")
        for packet in _encoded(track, np.zeros((1, 192_000), np.int16)):
            output.mux(packet)
    return file.getvalue()


@functools.cache
def packets() -> list[bytes]:
    """The reading as raw packets of Opus of 20 ms."""
    return list(packets_of(speech(48_000)))


def packets_of(samples: np.ndarray):
    """Samples at 48 kHz, channels by samples, as raw packets of Opus of 20 ms."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, f"{len(samples)}c", "s16"
    encoder.bit_rate = 24_000 * len(samples)
    for frame in _frames(samples, 48_000, 960):
        yield from map(bytes, encoder.encode(frame))


@functools.cache
def whole(encoding: Encoding, channels: int = 1) -> np.ndarray:
    """What FFmpeg makes of the stream as a file."""
    return decoded_file(stream(encoding, channels))


def decoded_file(data: bytes) -> np.ndarray:
    """What FFmpeg makes of a whole file: 16 kHz, mono."""
    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(io.BytesIO(data), "r") as file:
        frames = [*file.decode(audio=0), None]
        parts = [each.to_ndarray()[0] for frame in frames for each in resampler.resample(frame)]
    return np.concatenate(parts)


def joined(parts: list[Part]) -> np.ndarray:
    """Parts of one channel as samples; silence as zeros."""
    return apart(parts, 1)[0]


def apart(parts: list[Part], channels: int) -> np.ndarray:
    """Parts as channels by samples; silence as zeros."""
    sounds = [
        np.zeros((part, channels), np.int16)
        if isinstance(part, int)
        else np.frombuffer(part, np.int16).reshape(-1, channels)
        for part in parts
    ]
    return np.concatenate([np.empty((0, channels), np.int16), *sounds]).T


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of two sounds over their common length, 1 at most."""
    size = min(len(one), len(other))
    return float(np.corrcoef(one[:size].astype(float), other[:size].astype(float))[0, 1])
