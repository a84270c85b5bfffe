"""Divides a chunk into windows that a model reads at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from maie_asr.engine import SAMPLE_RATE, Samples, SpeechRange

# A long range is cut where it is quietest for so long, in its window's last third.
QUIET_SAMPLES = SAMPLE_RATE * 3 // 100
EARLIEST_CUT = 2 / 3

Window = tuple[SpeechRange, ...]


def windows(
    samples: Samples, ranges: Sequence[SpeechRange], longest: int, longest_pause: int
) -> Iterator[Window]:
    """Joins ranges of speech into windows, and divides those that are too long for one.

    Args:
        samples: The chunk's audio.
        ranges: The speech in it, in order and without overlap.
        longest: The most samples of a window, from its first range's start to its last one's end.
        longest_pause: The most samples between two ranges of a window.
    """
    window: list[SpeechRange] = []
    for each in _divided(samples, ranges, longest):
        fits = window and each.end - window[0].start <= longest
        if not (fits and each.start - window[-1].end <= longest_pause):
            if window:
                yield tuple(window)
            window = []
        window.append(each)
    if window:
        yield tuple(window)


def _divided(
    samples: Samples, ranges: Sequence[SpeechRange], longest: int
) -> Iterator[SpeechRange]:
    """The ranges, each at most as long as a window."""
    for each in ranges:
        start = each.start
        while each.end - start > longest:
            cut = _quietest(samples, start + int(longest * EARLIEST_CUT), start + longest)
            yield SpeechRange(start=start, end=cut)
            start = cut
        yield SpeechRange(start=start, end=each.end)


def _quietest(samples: Samples, first: int, last: int) -> int:
    """The middle of the quietest moment of a part of the audio."""
    count = (last - first) // QUIET_SAMPLES
    if count < 1:
        return last
    moments = samples[first : first + count * QUIET_SAMPLES].reshape(count, QUIET_SAMPLES)
    energies = np.square(moments.astype(np.float32)).sum(axis=1)
    return first + int(np.argmin(energies)) * QUIET_SAMPLES + QUIET_SAMPLES // 2
