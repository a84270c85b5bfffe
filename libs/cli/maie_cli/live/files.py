"""Audio of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from maie_cli.live.sources import (
    RATE_HERTZ,
    SAMPLE_BYTES,
    Opened,
    Pieces,
    SourceError,
    ThreadSource,
    piece_frames,
)
from maie_client import linear16
from maie_formats.clean import plain

NEEDS_MESH = "Reading files needs PyAV; install it with: pip install 'maie-cli[mesh]'"


def file_source(path: Path) -> ThreadSource:
    """A file in any format that recordings may have, as 16 kHz mono."""
    return ThreadSource(plain(path.stem), _opening(path))


def _opening(path: Path) -> Callable[[], Opened]:
    def opening() -> Opened:
        decoded = _decoded(path)
        first = next(decoded, b"")  # finds out whether it can be read
        if not first:
            raise SourceError(f"There is no sound in {path}")
        return linear16(RATE_HERTZ), _following(first, decoded)

    return opening


def _following(first: bytes, rest: Pieces) -> Pieces:
    yield first
    yield from rest


def _decoded(path: Path) -> Pieces:
    try:
        import av

        from maie_preprocess.formats import OPTIONS
    except ImportError:
        raise SourceError(NEEDS_MESH) from None
    size = piece_frames(RATE_HERTZ) * SAMPLE_BYTES
    try:
        with (
            path.open("rb") as file,
            av.open(_Nameless(file), "r", container_options=OPTIONS) as container,
        ):
            if not container.streams.audio:
                raise SourceError(f"There is no sound in {path}")
            yield from _cut(_samples(av, container), size)
    except av.error.FFmpegError as error:
        raise SourceError(f"Cannot read {path}: {error.strerror}") from error


def _samples(av: Any, container: Any) -> Iterator[bytes]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HERTZ)
    for frame in container.decode(audio=0):
        for each in resampler.resample(frame):
            yield each.to_ndarray().tobytes()
    for each in resampler.resample(None):
        yield each.to_ndarray().tobytes()


def _cut(parts: Iterator[bytes], size: int) -> Pieces:
    """The same bytes in pieces of a size; the last may be shorter."""
    rest = bytearray()
    for part in parts:
        rest += part
        while len(rest) >= size:
            yield bytes(rest[:size])
            del rest[:size]
    if rest:
        yield bytes(rest)


class _Nameless:
    """A file object without a name, which FFmpeg would use as a format hint or as a path."""

    def __init__(self, source: BinaryIO) -> None:
        self.read = source.read
        self.seek = source.seek
        self.tell = source.tell
