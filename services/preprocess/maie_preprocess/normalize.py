"""Converts decoded frames to lanes of 16 kHz mono 16-bit samples. Runs in the decoder."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame

from maie_audio.resampler import Resampler
from maie_core.reasons import Reason
from maie_preprocess.calls import SIDES, CallFinder
from maie_preprocess.crosstalk import CrosstalkGate
from maie_preprocess.measure import Meter, Shape, shape_of
from maie_preprocess.mixing import Cancelled, Mixer, frame_powers, frames_of
from maie_preprocess.planes import as_float, mono, planes
from maie_preprocess.wire import ChannelMode, Limits

SAMPLE_RATE = 16_000
SAMPLE_BYTES = 2
MIXED = 0
"""The channel number of a mix; the channels of a file count from 1."""

Piece = tuple[int, bytes]
"""A channel and its next samples."""


class RefusedError(Exception):
    """The recording cannot be used; the arguments are reason, sentence and invalid field."""

    def __init__(self, reason: Reason, message: str, field: str = "") -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.field = field


def corrupt(why: str) -> RefusedError:
    """A recording that is damaged; `why` ends its sentence."""
    return RefusedError(Reason.AUDIO_CORRUPT, f"The recording is damaged: {why}; export it again.")


def check_shape(channels: int, sample_rate: int, limits: Limits) -> None:
    """Refuses more channels or a higher rate than the limits allow.

    Raises:
        RefusedError: AUDIO_CORRUPT.
    """
    if not 1 <= channels <= limits.max_channels:
        raise RefusedError(
            Reason.AUDIO_CORRUPT,
            f"The recording has {channels} channels, and 1 to {limits.max_channels} are supported; "
            "export it as mono or stereo.",
        )
    if not 1 <= sample_rate <= limits.max_sample_rate:
        raise RefusedError(
            Reason.AUDIO_CORRUPT,
            f"The recording has a sample rate of {sample_rate} Hz, and up to "
            f"{limits.max_sample_rate} Hz is supported; export it at 48000 Hz.",
        )


def too_long(limits: Limits) -> RefusedError:
    """The refusal of a recording that is longer than the limit."""
    return RefusedError(
        Reason.AUDIO_TOO_LONG,
        f"The recording is longer than {limits.max_seconds:g} s; cut it into parts and submit "
        "each.",
    )


class Normalizer:
    """Collects frames into blocks of a second, measures and converts them.

    A codec's frames are some 20 ms long; converting them one by one would cost
    more than decoding them.

    Args:
        limits: The limits on the recording.
        meter: Measures every block before it is converted.
        mode: What to do with several channels; `auto` mixes them and checks
            whether they are two sides of a call.
    """

    def __init__(self, limits: Limits, meter: Meter, mode: ChannelMode) -> None:
        self._limits = limits
        self._meter = meter
        self._split = mode == "split"
        self._calls = CallFinder() if mode == "auto" else None
        self._seconds = 0.0
        self._shape: Shape | None = None
        self._fifo = av.AudioFifo()
        self._mixer: Mixer | None = None
        self._gate: CrosstalkGate | None = None
        self._converters: dict[int, _Converter] = {}
        self._counts: dict[int, int] = {}
        self.kept = True
        """Whether all samples so far equal those of the recording bitwise."""
        self.is_call = False
        """Whether the channels are two sides of a call, which `auto` splits."""
        self.cancelled = Cancelled()
        """Where the channels cancelled out."""

    @property
    def samples(self) -> int:
        """The number of samples of each channel so far, at 16 kHz."""
        return max(self._counts.values(), default=0)

    def push(self, frame: AudioFrame) -> Iterator[Piece]:
        """Adds a decoded frame and yields finished samples, about a second at a time.

        Raises:
            RefusedError: AUDIO_TOO_LONG, or AUDIO_CORRUPT for an unsupported shape.
        """
        check_shape(frame.layout.nb_channels, frame.sample_rate, self._limits)
        self._seconds += frame.samples / frame.sample_rate
        if self._seconds > self._limits.max_seconds:
            raise too_long(self._limits)
        shape = shape_of(frame)
        if self._shape is not None and shape != self._shape:
            yield from self.flush()
        if shape != self._shape:
            self._start(frame)
        frame.pts = None
        self._fifo.write(frame)
        while self._fifo.samples >= frame.sample_rate:
            block = self._fifo.read(frame.sample_rate)
            assert block is not None
            yield from self._convert(block)

    def finish(self) -> Iterator[Piece]:
        """Yields the remaining samples at the end of the recording."""
        yield from self.flush()
        self.is_call = self._calls is not None and self._calls.is_call(at_end=True)

    def flush(self) -> Iterator[Piece]:
        """Yields the remaining samples; all channels then have the same length."""
        if self._shape is None:
            return
        block = self._fifo.read(0, partial=True)
        if block is not None:
            yield from self._convert(block)
        rest = np.stack([converter.flush() for converter in self._converters.values()])
        if self._gate is not None:
            rest = np.concatenate([self._gate.push(rest), self._gate.flush()], axis=1)
        yield from self._emit(rest)
        yield from self._level()

    def _start(self, frame: AudioFrame) -> None:
        """Prepares for frames of another shape."""
        shape, channels = shape_of(frame), frame.layout.nb_channels
        self._shape = shape
        self._fifo = av.AudioFifo()
        self._mixer = None
        if channels > 1 and not self._split:
            names = [channel.name for channel in frame.layout.channels]
            position = self.samples / SAMPLE_RATE
            self._mixer = Mixer(names, frame.sample_rate, position, self.cancelled)
        # A WAV file without a channel mask has no named layout, only a count.
        as_is = shape[0] in {"s16", "s16p"} and shape[2] == SAMPLE_RATE and self._mixer is None
        self.kept = self.kept and as_is and channels == 1
        numbers = range(1, channels + 1) if self._split else [MIXED]
        self._converters = {number: _Converter(as_is) for number in numbers}
        self._gate = CrosstalkGate(channels) if self._split and channels > 1 else None

    def _convert(self, block: AudioFrame) -> Iterator[Piece]:
        self._meter.add(block)
        parts = zip(self._converters.values(), self._parts(block), strict=True)
        sound = np.stack([converter.push(part) for converter, part in parts])
        yield from self._emit(sound if self._gate is None else self._gate.push(sound))

    def _parts(self, block: AudioFrame) -> list[AudioFrame]:
        """The block unchanged, mixed, or split into its channels."""
        if self._mixer is None and not self._split:
            return [block]
        samples = planes(block)
        if self._mixer is None:
            return [mono(channel, block.sample_rate) for channel in samples]
        sound = as_float(samples)
        frames = frames_of(block.samples, block.sample_rate)
        powers = frame_powers(sound, frames)
        if self._calls is not None and len(sound) == SIDES:
            self.is_call = self.is_call or self._calls.add(powers)
        return [mono(self._mixer.mix(sound, frames, powers), block.sample_rate)]

    def _emit(self, sound: np.ndarray) -> Iterator[Piece]:
        for channel, samples in zip(self._converters, sound, strict=True):
            self._counts[channel] = self._counts.get(channel, 0) + len(samples)
            yield channel, samples.tobytes()

    def _level(self) -> Iterator[Piece]:
        """Pads channels that are missing in a part of the recording with silence."""
        longest = self.samples
        for channel, count in self._counts.items():
            for start in range(count, longest, SAMPLE_RATE):
                yield channel, bytes(min(longest - start, SAMPLE_RATE) * SAMPLE_BYTES)
            self._counts[channel] = longest


class _Converter:
    """Converts one channel to 16-bit samples at 16 kHz.

    Args:
        as_is: Whether the samples already have this format.
    """

    def __init__(self, as_is: bool) -> None:
        self._resampler = None if as_is else Resampler()

    def push(self, block: AudioFrame) -> np.ndarray:
        """Converts a block."""
        if self._resampler is None:
            return block.to_ndarray()[0]
        return np.frombuffer(self._resampler.push(block), np.int16)

    def flush(self) -> np.ndarray:
        """Returns the samples that the resampler still buffers."""
        rest = b"" if self._resampler is None else self._resampler.flush()
        return np.frombuffer(rest, np.int16)
