"""Detects whether two channels are the two sides of a call. Runs in the decoder.

In a call, or where each speaker has a microphone, the channels are loud at
different times; in a room, in music and with one voice on two channels, their
levels rise and fall together. Neither the gain of a channel nor a delay, an echo
or an inverted phase changes that. So the finder counts the levels of both, ten
times a second, in a table of fixed size, and examines their difference.
"""

from __future__ import annotations

import numpy as np

from maie_preprocess.mixing import FRAMES_PER_SECOND

SIDES = 2
"""The number of channels of a call."""
# The number of levels in the table, in dB below full scale; the last one is silence.
_LEVELS = 90
# A channel is active this much above its noise and within this much of its peaks (dB).
_ABOVE_NOISE = 9
_BELOW_PEAK = 30
# Its noise is exceeded nine tenths of the time. Its peaks last for half a second in all.
_NOISE_SHARE = 0.1
_PEAK_FRAMES = 5
# A channel that is never louder than this (dBFS) has no speech.
_FAINT = -60
# The least change (dB) of the level difference between the first side alone and the
# second side alone: speakers in one room reach at most 16 dB.
_MIN_CONTRAST = 33
# The least time of each side alone: during the recording, when a wrong decision would be
# final, and at its end.
_BLOCKS_PER_LOOK = 10
_MIN_FRAMES = 10 * FRAMES_PER_SECOND
_MIN_FRAMES_AT_END = FRAMES_PER_SECOND // 2
# Sound on both channels keeps its level difference within this span (dB). It may take at
# most this share of the time, at this distance (dB) from either side alone: a jingle that
# pans between the channels is not a call.
_COMMON_SPAN = 9
_MAX_COMMON = 0.7
_COMMON_DISTANCE = 12


class CallFinder:
    """Counts levels and decides whether the channels are those of a call."""

    def __init__(self) -> None:
        self._table = np.zeros((_LEVELS, _LEVELS), np.int64)
        self._blocks = 0

    def add(self, powers: np.ndarray) -> bool:
        """Adds the powers of the next frames; returns whether this is already a call.

        Args:
            powers: Frames by two channels, full scale being 1.
        """
        levels = -10 * np.log10(np.maximum(powers, 1e-12))
        rows, columns = np.clip(levels, 0, _LEVELS - 1).astype(np.intp).T
        np.add.at(self._table, (rows, columns), 1)
        self._blocks += 1
        return self._blocks % _BLOCKS_PER_LOOK == 0 and self.is_call(at_end=False)

    def is_call(self, *, at_end: bool) -> bool:
        """Whether each channel is a side of a call.

        Args:
            at_end: Whether the recording is at its end.
        """
        first = _active(self._table.sum(axis=1))
        second = _active(self._table.sum(axis=0))
        enough = _MIN_FRAMES_AT_END if at_end else _MIN_FRAMES
        # How much louder the first channel is, by the cell of the table.
        louder = np.arange(_LEVELS)[np.newaxis, :] - np.arange(_LEVELS)[:, np.newaxis]
        of_first = _counts(self._table * first[:, np.newaxis], louder)
        of_second = _counts(self._table * second[np.newaxis, :], louder)
        if min(of_first.sum(), of_second.sum()) < enough:
            return False
        high = np.flatnonzero(of_first[::-1].cumsum()[::-1] >= enough)[-1]
        low = np.flatnonzero(of_second.cumsum() >= enough)[0]
        if high - low < _MIN_CONTRAST:
            return False
        active = first[:, np.newaxis] | second[np.newaxis, :]
        both = _counts(self._table * active, louder)
        spans = np.convolve(both, np.ones(_COMMON_SPAN), "same")
        common = int(spans.argmax())
        is_side = min(high - common, common - low) < _COMMON_DISTANCE
        return is_side or bool(spans[common] <= _MAX_COMMON * both.sum())


def _active(counts: np.ndarray) -> np.ndarray:
    """Which levels of a channel, in dB below full scale, are its own sound."""
    total = counts.sum()
    quieter = counts[::-1].cumsum()[::-1]  # the count of this level and all lower ones
    noise = np.flatnonzero(quieter >= _NOISE_SHARE * total)[-1]
    peak = np.flatnonzero(counts.cumsum() >= min(_PEAK_FRAMES, total))[0]
    quietest = min(noise - _ABOVE_NOISE, peak + _BELOW_PEAK, -_FAINT)
    return np.arange(len(counts)) <= quietest


def _counts(table: np.ndarray, louder: np.ndarray) -> np.ndarray:
    """The counts by how much louder the first channel is, from the least."""
    return np.bincount((louder + _LEVELS - 1).ravel(), table.ravel(), 2 * _LEVELS - 1)
