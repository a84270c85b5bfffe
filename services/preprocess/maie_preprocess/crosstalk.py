"""Mutes crosstalk between channels. Runs in the decoder.

With separate channels, a voice that leaks into another speaker's channel,
quieter and slightly later, would be transcribed twice. The gate mutes a tenth
of a second of a channel if another channel is 10 dB louder and both hold the
same sound. So it keeps the channel's own speaker, who is not on the other
channel, even while both speak.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass

import numpy as np

# Imported here and not where it is used: numpy opens its files late, when the decoding
# process can no longer open any.
from numpy import fft

# All in samples at 16 kHz. Each frame of 100 ms is compared together with its context, 400 ms
# in total, which two voices never share by chance.
_FRAME = 1600
_AROUND = 2400
# Leaks arrive up to 30 ms (10 m of air) later, or earlier.
_LAG = 480
_MARGIN = _AROUND + _LAG
# Speech has nearly all of its energy below 2 kHz, so every fourth sample is enough.
_STEP = 4
_FFT = 2048
# How much louder the other channel is at least, as power (10 dB).
_LOUDER = 10.0
# The least normalised cross-correlation of a leak with its source.
_ALIKE = 0.7
# Quieter sound (-75 dBFS, of 16-bit samples) is not transcribed anyway.
_SILENT = (32768 * 10 ** (-75 / 20)) ** 2
# A weak frame next to leaks is a leak too, unless it is this much louder (3 dB) than the
# last leak.
_NEAR = 2
_EXCESS = 2.0
# Gains change over 10 ms, to avoid clicks.
_RAMP = 160


@dataclass(kw_only=True, frozen=True, slots=True)
class _Frame:
    """The state of a frame, for each channel.

    Attributes:
        quieter: Whether another channel is so much louder that this may be a leak.
        alike: Whether it is a leak.
        share: Its power over that of the loudest channel.
    """

    quieter: np.ndarray
    alike: np.ndarray
    share: np.ndarray


class CrosstalkGate:
    """Mutes leaks in a stream of samples, with a delay of half a second.

    Args:
        channels: The number of channels.
    """

    def __init__(self, channels: int) -> None:
        # Begins a margin before the first sample that is not returned yet, with silence before
        # the recording.
        self._sound = np.zeros((channels, _MARGIN), np.int16)
        self._given: deque[_Frame] = deque(maxlen=_NEAR)
        self._next: deque[_Frame] = deque()
        self._gains = np.ones(channels, np.float32)

    def push(self, sound: np.ndarray) -> np.ndarray:
        """Adds the next samples, channels by samples, and returns the finished ones."""
        self._sound = np.concatenate([self._sound, sound], axis=1)
        while (len(self._next) + 1) * _FRAME + 2 * _MARGIN <= self._sound.shape[1]:
            self._look(len(self._next) * _FRAME)
        return self._give(len(self._next) - _NEAR)

    def flush(self) -> np.ndarray:
        """Returns the remaining samples."""
        left = self._sound.shape[1] - _MARGIN
        silence = np.zeros((len(self._sound), -left % _FRAME + _MARGIN), np.int16)
        pieces = [self.push(silence), self._give(len(self._next))]
        return np.concatenate(pieces, axis=1)[:, :left]

    def _look(self, start: int) -> None:
        """Examines the frame whose margin begins at `start`."""
        around = self._sound[:, start : start + _FRAME + 2 * _MARGIN]
        coarse = around.reshape(len(around), -1, _STEP).mean(axis=2, dtype=np.float32)
        coarse -= coarse.mean(axis=1, keepdims=True)
        power = np.mean(coarse[:, _cut(_MARGIN, _FRAME)] ** 2, axis=1)
        loudest = power.argmax()
        quieter = (power > _SILENT) & (power * _LOUDER <= power[loudest])
        alike = np.array(
            [
                bool(may_leak) and _are_alike(sound, coarse[loudest])
                for sound, may_leak in zip(coarse, quieter, strict=True)
            ]
        )
        share = power / max(power[loudest], _SILENT)
        self._next.append(_Frame(quieter=quieter, alike=alike, share=share))

    def _give(self, count: int) -> np.ndarray:
        """Returns the next frames."""
        frames = [self._mute(number * _FRAME) for number in range(count)]
        if not frames:
            return self._sound[:, :0]
        self._sound = self._sound[:, count * _FRAME :]
        return np.concatenate(frames, axis=1)

    def _mute(self, start: int) -> np.ndarray:
        frame = self._next.popleft()
        near = [*self._given, frame, *itertools.islice(self._next, _NEAR)]
        leaking = np.max([each.share * each.alike for each in near], axis=0)
        leak = frame.alike | (frame.quieter & (frame.share <= _EXCESS * leaking))
        self._given.append(frame)
        sound = self._sound[:, start + _MARGIN : start + _MARGIN + _FRAME]
        before, self._gains = self._gains, np.where(leak, 0, 1).astype(np.float32)
        if before.all() and self._gains.all():
            return sound
        gains = np.repeat(self._gains[:, np.newaxis], _FRAME, axis=1)
        gains[:, :_RAMP] = np.linspace(before, self._gains, _RAMP, axis=1)
        return np.round(sound * gains).astype(np.int16)


def _cut(start: int, count: int) -> slice:
    """A range of samples in the sequence of every fourth sample."""
    return slice(start // _STEP, (start + count) // _STEP)


def _are_alike(leak: np.ndarray, source: np.ndarray) -> bool:
    """Whether a frame of one channel, with its margins, is the sound of another."""
    ours = leak[_cut(_LAG, _FRAME + 2 * _AROUND)]
    products = fft.irfft(fft.rfft(source, _FFT) * np.conj(fft.rfft(ours, _FFT)), _FFT)
    lags = 2 * _LAG // _STEP + 1
    energy = np.concatenate([[0.0], np.cumsum(source.astype(np.float64) ** 2)])
    theirs = energy[len(ours) : len(ours) + lags] - energy[:lags]
    alike = np.abs(products[:lags]) / np.sqrt(np.maximum(theirs * np.dot(ours, ours), 1.0))
    lag = int(alike.argmax())
    if alike[lag] < _ALIKE:
        return False
    # The frame itself must agree as well: its own speaker may just begin or end.
    here = leak[_cut(_MARGIN, _FRAME)]
    place = slice(_AROUND // _STEP + lag, (_AROUND + _FRAME) // _STEP + lag)
    there = source[place]
    both = abs(float(here @ there))
    return both >= _ALIKE * float(np.sqrt((here @ here) * (there @ there)))
