"""Cuts parts out of a recording. Needs PyAV and numpy, and blocks."""

from __future__ import annotations

import io
from collections.abc import Generator, Sequence
from typing import Any, BinaryIO, Literal

import av
import numpy as np

ClipFormat = Literal["wav", "flac"]
CODECS: dict[ClipFormat, str] = {"wav": "pcm_s16le", "flac": "flac"}
# So long, a clip swells at its start and fades at its end: an edge within sound would click.
FADE_SECONDS = 0.01
# The bytes come from a file that is open already; nothing else may be opened.
_OPTIONS = {"protocol_whitelist": "none"}


class ClipError(Exception):
    """A recording cannot be cut; says why."""


def cut(
    recording: BinaryIO, spans: Sequence[tuple[float, float]], clip_format: ClipFormat
) -> Generator[bytes, None, None]:
    """Yields a file for each span, with the rate and the channels of the recording.

    At most one clip is in memory at a time.

    Args:
        recording: The recording, in any format that FFmpeg reads.
        spans: Starts and ends in seconds, in order and without overlap.
        clip_format: The format of the clips, with 16 bits a sample.

    Raises:
        ClipError: The recording cannot be decoded, or ends before a span.
    """
    try:
        with av.open(_Nameless(recording), options=_OPTIONS) as container:
            if not container.streams.audio:
                raise ClipError("the recording has no sound")
            yield from _cut(container, spans, clip_format)
    except av.FFmpegError as error:
        raise ClipError("the recording cannot be decoded") from error


class _Nameless:
    """A file without its name, by which FFmpeg would choose a format."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


def _cut(
    container: Any, spans: Sequence[tuple[float, float]], clip_format: ClipFormat
) -> Generator[bytes, None, None]:
    resampler = av.AudioResampler(format="s16")
    blocks = (block for frame in container.decode(audio=0) for block in resampler.resample(frame))
    place, held = 0, list[tuple[int, Any]]()
    for start, end in spans:
        # A block that reaches beyond a span is that of the next one, too.
        while not held or place < end * held[-1][1].sample_rate:
            block = next(blocks, None)
            if block is None:
                break
            held.append((place, block))
            place += block.samples
            rate = block.sample_rate
            while held and held[0][0] + held[0][1].samples <= start * rate:
                held.pop(0)
        if not held:
            raise ClipError("the recording ends before its last phrase")
        rate, layout = held[0][1].sample_rate, held[0][1].layout.name
        first, last = round(start * rate), round(end * rate)
        parts = [_samples(block)[max(0, first - at) : max(0, last - at)] for at, block in held]
        samples = np.concatenate(parts)
        if not len(samples):
            raise ClipError("the recording ends before its last phrase")
        yield _encoded(_faded(samples, rate), rate, layout, clip_format)
        held = [(at, block) for at, block in held if at + block.samples > last]


def _samples(block: Any) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The samples of a block, with a column for each channel."""
    interleaved: np.ndarray[Any, np.dtype[np.int16]] = block.to_ndarray()
    return interleaved.reshape(-1, len(block.layout.channels))


def _faded(
    samples: np.ndarray[Any, np.dtype[np.int16]], rate: int
) -> np.ndarray[Any, np.dtype[np.int16]]:
    size = min(round(FADE_SECONDS * rate), len(samples) // 2)
    ramp = (np.arange(size) + 0.5)[:, None] / max(size, 1)
    faded = samples.astype(np.float64)
    faded[:size] *= ramp
    faded[len(faded) - size :] *= ramp[::-1]
    return np.round(faded).astype(np.int16)


def _encoded(
    samples: np.ndarray[Any, np.dtype[np.int16]], rate: int, layout: str, clip_format: ClipFormat
) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format=clip_format) as container:
        stream: Any = container.add_stream(CODECS[clip_format], rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()
