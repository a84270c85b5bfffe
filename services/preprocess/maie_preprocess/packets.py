"""Reads the packets of a recording. Runs in the decoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import av
from av.audio.stream import AudioStream
from av.container import InputContainer


def packets(container: InputContainer, streams: Sequence[AudioStream]) -> Iterator[av.Packet]:
    """Yields the packets of streams in the order of the file, and last an empty one for each.

    In MPEG-TS, streams may begin anywhere, and those that FFmpeg finds after it opened the file
    are in no list of PyAV (18.1). At the end, PyAV makes an empty packet for them as well, by
    chance, and fails. The streams that were asked for have theirs by then.

    Raises:
        av.error.FFmpegError: The file cannot be read further.
    """
    found = container.demux(list(streams))
    while True:
        try:
            packet = next(found)
        except (StopIteration, IndexError):
            return
        yield packet
