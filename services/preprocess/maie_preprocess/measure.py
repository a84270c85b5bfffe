"""Loudness, peak and clipping of a recording as it was received."""

from __future__ import annotations

import math
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

# EBU R 128 ignores sound below this: its loudness is undefined.
GATE_LUFS = -70.0
# Only this many bits count in the comparison with full scale, so that a clipped 16-bit
# recording is recognised in any wider format.
CLIPPING_BITS = 16


Shape = tuple[str, str, int]


def shape_of(frame: AudioFrame) -> Shape:
    """A frame's sample format, channel layout and sample rate."""
    return frame.format.name, frame.layout.name, frame.sample_rate


class NotANumberError(ValueError):
    """The recording holds samples that are NaN or infinite."""


class Meter:
    """Measures blocks of decoded sound, before any conversion."""

    def __init__(self) -> None:
        self._loudness = _Loudness()
        self._peak = 0.0
        self.clipped = 0
        """The number of samples at full scale."""
        self.samples = 0
        """The number of samples, of all channels."""

    def add(self, block: AudioFrame) -> None:
        """Adds the next block, best of about a second.

        Raises:
            NotANumberError: A sample is NaN or infinite.
        """
        samples = block.to_ndarray()
        if samples.dtype.kind == "u":
            samples = samples.astype(np.int16) - 128
            scale, bits = 128.0, 8
        elif samples.dtype.kind == "i":
            bits = samples.dtype.itemsize * 8
            scale = 2.0 ** (bits - 1)
        else:
            scale, bits = 1.0, CLIPPING_BITS
        self._add(samples, scale, 1 - 2.0 ** (1 - min(bits, CLIPPING_BITS)))
        self._loudness.add(block)

    def _add(self, samples: np.ndarray, scale: float, full: float) -> None:
        # Both ends separately: the absolute value of the lowest integer overflows.
        low, high = float(samples.min()) / scale, float(samples.max()) / scale
        if not (math.isfinite(low) and math.isfinite(high)):
            raise NotANumberError
        self.samples += samples.size
        self._peak = max(self._peak, -low, high)
        if max(-low, high) >= full:
            self.clipped += int(np.count_nonzero(samples >= full * scale))
            self.clipped += int(np.count_nonzero(samples <= -full * scale))

    @property
    def peak_dbfs(self) -> float | None:
        """The highest sample in dBFS, 0 at most; None for digital silence."""
        return min(0.0, 20 * math.log10(self._peak)) if self._peak > 0 else None

    def loudness_lufs(self) -> float | None:
        """Integrated loudness so far (EBU R 128); None if undefined."""
        return self._loudness.integrated

    def loudness_range_lu(self) -> float | None:
        """The loudness range so far (EBU Tech 3342); None if undefined."""
        found = self._loudness.range
        if self._loudness.integrated is None or found is None or not math.isfinite(found):
            return None
        return found


class _Loudness:
    """FFmpeg's ebur128 filter, fed block by block."""

    def __init__(self) -> None:
        self.integrated: float | None = None
        self.range: float | None = None
        self._graph: av.filter.Graph | None = None
        self._first: Shape | None = None
        self._latest: Shape | None = None
        self._to_first: AudioResampler | None = None

    def add(self, block: AudioFrame) -> None:
        shape = shape_of(block)
        if self._graph is None or self._first is None:
            self._graph, self._first = self._configure(block), shape
        if shape != self._latest:
            # A recording may change its shape midway; the filter cannot.
            self._latest, self._to_first = shape, AudioResampler(*self._first)
        assert self._to_first is not None
        for frame in self._to_first.resample(block):
            self._graph.push(frame)
        self._drain(self._graph)

    def _configure(self, block: AudioFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        source = graph.add_abuffer(
            sample_rate=block.sample_rate,
            format=block.format.name,
            layout=block.layout.name,
            time_base=Fraction(1, block.sample_rate),
        )
        meter = graph.add("ebur128", "metadata=1:framelog=quiet")
        sink = graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
        return graph

    def _drain(self, graph: av.filter.Graph) -> None:
        latest = None
        while True:
            try:
                latest = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                break
        if latest is not None:
            value = float(latest.metadata.get("lavfi.r128.I", "nan"))
            self.integrated = value if value > GATE_LUFS else None
            self.range = float(latest.metadata.get("lavfi.r128.LRA", "nan"))
