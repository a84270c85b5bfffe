"""Converts decoded frames to 16 kHz 16-bit samples, without threads.

PyAV's own resampler starts a thread for each core of the machine, which has a stack of
8 MB and nothing to do.
"""

from __future__ import annotations

from typing import cast

import av
from av.audio.frame import AudioFrame
from av.filter import Graph

from maie_audio.formats import SAMPLE_BYTES, SAMPLE_RATE

_Shape = tuple[str, str, int]


class Resampler:
    """Converts the frames of one stream. It keeps the last millisecond.

    Args:
        split: Whether the samples of all channels are given, interleaved, and not their mix.
    """

    def __init__(self, *, split: bool = False) -> None:
        self._split = split
        self._graph: Graph | None = None
        self._shape: _Shape | None = None
        self._taken = self._given = 0

    @property
    def owed(self) -> int:
        """How many samples it keeps."""
        return round(self._taken * SAMPLE_RATE / self._shape[2]) - self._given if self._shape else 0

    def push(self, frame: AudioFrame) -> bytes:
        """Converts a frame."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        rest = self.flush() if shape != self._shape else b""
        if self._graph is None:
            layout = frame.layout.name if self._split else "mono"
            self._graph, self._shape = _graph(shape, layout), shape
        self._taken += frame.samples
        frame.pts = None
        self._graph.push(frame)
        return rest + self._pull(self._graph)

    def flush(self) -> bytes:
        """Gives what it keeps."""
        rest = b""
        if self._graph is not None:
            self._graph.push(None)
            rest = self._pull(self._graph)
        self._graph = self._shape = None
        self._taken = self._given = 0
        return rest

    def _pull(self, graph: Graph) -> bytes:
        sound = bytearray()
        while True:
            try:
                frame = cast(AudioFrame, graph.pull())
            except (av.error.EOFError, av.error.BlockingIOError):
                break
            size = frame.samples * frame.layout.nb_channels * SAMPLE_BYTES
            sound += bytes(frame.planes[0])[:size]
            self._given += frame.samples
        return bytes(sound)


def _graph(shape: _Shape, given: str) -> Graph:
    sample_format, layout, rate = shape
    graph = Graph()
    graph.threads = 1
    graph.link_nodes(
        graph.add(
            "abuffer",
            sample_rate=str(rate),
            sample_fmt=sample_format,
            channel_layout=layout,
            time_base=f"1/{rate}",
        ),
        graph.add(
            "aformat", sample_rates=str(SAMPLE_RATE), sample_fmts="s16", channel_layouts=given
        ),
        graph.add("abuffersink"),
    )
    graph.configure()
    return graph
