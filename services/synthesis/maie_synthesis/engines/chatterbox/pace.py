"""Speech at another pace, with its pitch kept, by FFmpeg's filter `atempo`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph

from maie_synthesis.engine import Samples

# Beyond twice the pace, one filter leaves samples out; below half of it, it takes none.
_FASTEST: Final = 2.0
_SLOWEST: Final = 0.5


def paced(samples: Samples, rate: int, speed: float) -> Samples:
    """The same speech, faster or slower.

    Args:
        samples: The speech.
        rate: The samples in a second.
        speed: How many times as fast, 0.25 to 4.
    """
    if speed == 1:
        return samples
    graph = Graph()
    filters = [
        graph.add_abuffer(format="s16", sample_rate=rate, layout="mono"),
        *(graph.add("atempo", f"{each:.6f}") for each in _steps(speed)),
        graph.add("abuffersink"),
    ]
    graph.link_nodes(*filters).configure()
    frame = AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
    frame.sample_rate = rate
    graph.push(frame)
    graph.push(None)
    parts = [each.to_ndarray()[0] for each in _pulled(graph)]
    return np.concatenate(parts) if parts else samples[:0]


def _steps(speed: float) -> Iterator[float]:
    """Paces that each filter takes, and whose product is the pace."""
    while not _SLOWEST <= speed <= _FASTEST:
        step = _FASTEST if speed > 1 else _SLOWEST
        yield step
        speed /= step
    yield speed


def _pulled(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.EOFError, av.BlockingIOError):
            return
        if isinstance(frame, AudioFrame):
            yield frame
