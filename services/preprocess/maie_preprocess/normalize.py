"""Decoded frames of any shape in, 16 kHz mono 16-bit samples out. Runs in the decoder."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from maie_preprocess.measure import Meter, Shape, shape_of
from maie_preprocess.wire import Limits

SAMPLE_RATE = 16_000


class RefusedError(Exception):
    """The recording cannot be used; the arguments are reason and sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message


def check_shape(channels: int, sample_rate: int, limits: Limits) -> None:
    """Refuses more channels or a higher rate than the limits allow.

    Raises:
        RefusedError: AUDIO_CORRUPT.
    """
    if not 1 <= channels <= limits.max_channels:
        raise RefusedError(
            "AUDIO_CORRUPT",
            f"The recording claims {channels} channels, and 1 to {limits.max_channels} can be "
            "read; export it as mono or stereo.",
        )
    if not 1 <= sample_rate <= limits.max_sample_rate:
        raise RefusedError(
            "AUDIO_CORRUPT",
            f"The recording claims a sample rate of {sample_rate} Hz, and up to "
            f"{limits.max_sample_rate} Hz can be read; export it at 48000 Hz.",
        )


class Normalizer:
    """Gathers frames to blocks of a second, measures and converts them.

    A codec's own frames are some 20 ms long; handling them one by one would
    cost more than decoding them.

    Args:
        limits: What the recording may be.
        meter: Sees every block before it is converted.
    """

    def __init__(self, limits: Limits, meter: Meter) -> None:
        self._limits = limits
        self._meter = meter
        self._seconds = 0.0
        self._shape: Shape | None = None
        self._as_is = False
        self._fifo = av.AudioFifo()
        self._resampler = AudioResampler("s16", "mono", SAMPLE_RATE)
        self.kept = True
        """Whether all samples so far are those of the recording, bit by bit."""

    def push(self, frame: AudioFrame) -> Iterator[bytes]:
        """Takes a decoded frame and gives what is ready, about a second at a time.

        Raises:
            RefusedError: AUDIO_TOO_LONG, or AUDIO_CORRUPT for a shape that is not read.
        """
        check_shape(frame.layout.nb_channels, frame.sample_rate, self._limits)
        self._seconds += frame.samples / frame.sample_rate
        if self._seconds > self._limits.max_seconds:
            raise RefusedError(
                "AUDIO_TOO_LONG",
                f"The recording is longer than {self._limits.max_seconds:g} s; cut it into "
                "parts and submit each.",
            )
        shape = shape_of(frame)
        if self._shape is not None and shape != self._shape:
            yield from self.flush()
        if shape != self._shape:
            self._start(shape, frame.layout.nb_channels)
        frame.pts = None
        self._fifo.write(frame)
        while self._fifo.samples >= frame.sample_rate:
            block = self._fifo.read(frame.sample_rate)
            assert block is not None
            yield from self._convert(block)

    def flush(self) -> Iterator[bytes]:
        """Gives what is left."""
        if self._shape is None:
            return
        block = self._fifo.read(0, partial=True)
        if block is not None:
            yield from self._convert(block)
        if not self._as_is:
            yield from map(_samples, self._resampler.resample(None))

    def _start(self, shape: Shape, channels: int) -> None:
        self._shape = shape
        self._fifo = av.AudioFifo()
        self._resampler = AudioResampler("s16", "mono", SAMPLE_RATE)
        # A WAV file without a channel mask has no layout by name, only a count.
        self._as_is = shape[0] in {"s16", "s16p"} and shape[2] == SAMPLE_RATE and channels == 1
        self.kept = self.kept and self._as_is

    def _convert(self, block: AudioFrame) -> Iterator[bytes]:
        self._meter.add(block)
        if self._as_is:
            yield _samples(block)
        else:
            yield from map(_samples, self._resampler.resample(_with_known_layout(block)))


def _samples(frame: AudioFrame) -> bytes:
    return frame.to_ndarray().tobytes()


def _with_known_layout(block: AudioFrame) -> AudioFrame:
    """Averages the channels of a recording that does not say what they are.

    FFmpeg would guess surround sound and drop what it takes for the bass
    channel; in a meeting recorder's file that is somebody's microphone.
    """
    channels = block.layout.nb_channels
    if channels <= 2 or block.layout.name != f"{channels} channels":
        return block
    samples = block.to_ndarray()
    if not block.format.is_planar:
        samples = samples.reshape(-1, channels).T
    mean = samples.mean(axis=0, dtype=np.float64, keepdims=True)
    mono = AudioFrame.from_ndarray(_to_float(mean, samples.dtype), format="flt", layout="mono")
    mono.sample_rate = block.sample_rate
    return mono


def _to_float(samples: np.ndarray, origin: np.dtype) -> np.ndarray:
    if origin.kind == "u":
        samples = (samples - 128) / 128
    elif origin.kind == "i":
        samples = samples / 2.0 ** (origin.itemsize * 8 - 1)
    return samples.astype(np.float32)
