"""Audio of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

# The contract's limit.
MAX_CHANNELS = 8
NEEDS_MESH = "Reading files needs PyAV; install it with: pip install 'maie-cli[mesh]'"


def file_source(path: Path, *, split: bool = False) -> ThreadSource:
    """A file in any format that recordings may have, at 16 kHz.

    Args:
        path: The file.
        split: Whether each of its channels is recognised by itself. Else they are mixed.
    """
    return ThreadSource(plain(path.stem), _opening(path, split=split))


def _opening(path: Path, *, split: bool) -> Callable[[], Opened]:
    def opening() -> Opened:
        sound = _Sound()
        decoded = _decoded(path, sound, split=split)
        first = next(decoded, b"")  # finds out whether it can be read
        if not first:
            raise SourceError(f"There is no sound in {path}")
        return linear16(RATE_HERTZ, sound.channels, split=split), _following(first, decoded)

    return opening


def _following(first: bytes, rest: Pieces) -> Pieces:
    yield first
    yield from rest


@dataclass
class _Sound:
    """What a file turns out to hold."""

    channels: int = 1


def _decoded(path: Path, sound: _Sound, *, split: bool) -> Pieces:
    try:
        import av

        from maie_preprocess.formats import OPTIONS
        from maie_preprocess.nameless import Nameless
        from maie_preprocess.packets import packets
    except ImportError:
        raise SourceError(NEEDS_MESH) from None
    try:
        with (
            path.open("rb") as file,
            av.open(Nameless(file), "r", container_options=OPTIONS) as container,
        ):
            if not container.streams.audio:
                raise SourceError(f"There is no sound in {path}")
            layout = container.streams.audio[0].layout if split else av.AudioLayout("mono")
            sound.channels = layout.nb_channels
            if sound.channels > MAX_CHANNELS:
                raise SourceError(f"{path} has more than {MAX_CHANNELS} channels; mix them")
            size = piece_frames(RATE_HERTZ) * SAMPLE_BYTES * sound.channels
            read = packets(container, container.streams.audio[:1])
            yield from _cut(_samples(av, read, layout), size)
    except av.error.FFmpegError as error:
        raise SourceError(f"Cannot read {path}: {error.strerror}") from error


def _samples(av: Any, packets: Iterator[Any], layout: Any) -> Iterator[bytes]:
    resampler = av.AudioResampler(format="s16", layout=layout, rate=RATE_HERTZ)
    for frame in (frame for packet in packets for frame in packet.decode()):
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
