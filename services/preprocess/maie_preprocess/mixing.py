"""Mixes several channels to one without losing speech. Runs in the decoder.

A plain mean loses speech in two ways: channels with inverted phase cancel out,
and a single active microphone of eight is attenuated by 18 dB. So the mixer
measures the levels ten times a second. It leaves silent channels out of the
mean, and takes a single channel where the mean cancels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maie_core.reasons import WarningReason
from maie_preprocess.wire import RecordingWarning

FRAMES_PER_SECOND = 10
# The weight of a channel in a mix, by FFmpeg's name of it. The weights are FFmpeg's, except for
# LFE, which some recorders use for a microphone. Channels without a name have equal weights.
_WEIGHTS = {"FC": 1.0, "FL": 2**-0.5, "FR": 2**-0.5, "LFE": 0.1, "LFE2": 0.1}
_OTHER_WEIGHT = 0.5
# A channel this far below the peak level (40 dB) is silent. The peak decays by 10 dB a
# second, so that gains do not change within a word.
_SILENT = 1e-4
_FADE = 10 ** (-10 / 10 / FRAMES_PER_SECOND)
# Power of a mix over that of uncorrelated channels of the same levels: 1 for uncorrelated
# channels, 2 for two equal ones, 0 for cancellation. Cancellation begins below the first
# threshold and ends above the second.
_CANCELS = 0.25
_ADDS_UP = 0.5
# Frames below -80 dBFS, or 20 dB below the last loud one, are no evidence.
_FAINT = 1e-8
_PAUSE = 1e-2
# Where the mix cancels, the mixer switches to another channel once that is 6 dB louder.
_LOUDER = 4.0
# Shorter cancellation (s) needs no warning; a larger share of the recording counts as all of it.
_MIN_WARNED_SECONDS = 0.5
_EVERYWHERE = 0.8
# A gain changes over this part of a frame (10 ms), to avoid clicks.
_RAMP = 0.1


@dataclass(slots=True)
class Cancelled:
    """The part of the track where channels cancelled out, in seconds."""

    seconds: float = 0.0
    """The total length, without pauses."""
    start: float = 0.0
    end: float = 0.0

    def add(self, start: float, end: float) -> None:
        """Adds the next interval."""
        if not self.seconds:
            self.start = start
        self.seconds += end - start
        self.end = end

    def warnings(self, total_seconds: float) -> list[RecordingWarning]:
        """The warning about it, if it is long enough for one.

        Args:
            total_seconds: The length of the recording.
        """
        if self.seconds < _MIN_WARNED_SECONDS:
            return []
        everywhere = self.end - self.start > _EVERYWHERE * total_seconds
        return [
            RecordingWarning(
                reason=WarningReason.CHANNELS_CANCEL,
                message="The channels cancel each other out when mixed, so only one of them was "
                "used.",
                start_seconds=None if everywhere else self.start,
                end_seconds=None if everywhere else self.end,
            )
        ]


def frames_of(count: int, sample_rate: int) -> list[slice]:
    """Splits a number of samples into tenths of a second; the last may be shorter."""
    step = -(-sample_rate // FRAMES_PER_SECOND)
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def frame_powers(sound: np.ndarray, frames: list[slice]) -> np.ndarray:
    """The mean power of each channel in each frame, without DC offset: frames by channels."""
    parts = [sound[:, place] for place in frames]
    squares = [np.einsum("cs,cs->c", part, part) / part.shape[1] for part in parts]
    offsets = [part.mean(axis=1) for part in parts]
    return np.maximum(np.array(squares, np.float64) - np.square(offsets), 0)


class Mixer:
    """Mixes blocks of one shape; see the module.

    Args:
        names: FFmpeg's names of the channels, in order.
        sample_rate: In hertz.
        position: The start of the first block, in seconds.
        cancelled: Records where channels cancel.
    """

    def __init__(
        self, names: list[str], sample_rate: int, position: float, cancelled: Cancelled
    ) -> None:
        self._weights = np.array([_WEIGHTS.get(name, _OTHER_WEIGHT) for name in names])
        self._sample_rate = sample_rate
        self._position = position
        self._cancelled = cancelled
        self._loudest = np.zeros(len(names))
        self._gains: np.ndarray | None = None
        self._alone: int | None = None

    def mix(self, sound: np.ndarray, frames: list[slice], powers: np.ndarray) -> np.ndarray:
        """Mixes a block.

        Args:
            sound: Channels by samples, full scale being 1.
            frames: See `frames_of`.
            powers: See `frame_powers`.
        """
        mixed = np.empty(sound.shape[1], np.float32)
        for place, power in zip(frames, powers, strict=True):
            part = sound[:, place]
            gains = self._next_gains(part, power)
            before = gains if self._gains is None else self._gains
            mixed[place] = _apply(before, gains, part)
            self._gains = gains
            self._position += part.shape[1] / self._sample_rate
        return mixed

    def _next_gains(self, part: np.ndarray, power: np.ndarray) -> np.ndarray:
        faded = self._loudest * _FADE
        self._loudest = np.maximum(power, faded)
        gains = np.where(self._loudest >= _SILENT * self._loudest.max(), self._weights, 0)
        gains = (gains / gains.sum()).astype(np.float32)
        unrelated = float(gains**2 @ power)
        if power.max() > max(_FAINT, _PAUSE * faded.max()):
            mixed = gains @ part
            self._judge(float(mixed @ mixed) / mixed.size, unrelated, part.shape[1])
        if self._alone is None:
            return gains
        if power.max() > _LOUDER * power[self._alone]:
            self._alone = int(power.argmax())
        return np.eye(len(gains), dtype=np.float32)[self._alone]

    def _judge(self, mixed: float, unrelated: float, samples: int) -> None:
        """Decides whether the mix cancels here."""
        cancels = mixed < _CANCELS * unrelated
        if self._alone is None and cancels:
            self._alone = int(self._loudest.argmax())
        elif mixed > _ADDS_UP * unrelated:
            self._alone = None
        if cancels:
            seconds = samples / self._sample_rate
            self._cancelled.add(self._position, self._position + seconds)


def _apply(before: np.ndarray, gains: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Mixes one frame, with a ramp from the gains of the last one."""
    mixed = gains @ part
    ramp = int(part.shape[1] * _RAMP)
    if ramp and not np.array_equal(before, gains):
        share = np.linspace(1, 0, ramp, endpoint=False, dtype=np.float32)
        mixed[:ramp] += share * ((before - gains) @ part[:, :ramp])
    return mixed
