"""Finds where the sound breaks off within speech."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from maie_quality.signals.levels import FRAME, FULL_SCALE
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples, SpeechRange

# A shorter one is a crossing of zero or a quiet sound, and a longer one a pause.
SHORTEST: Final = FRAME
LONGEST: Final = 2 * SAMPLE_RATE
# Silence: a resampler's rounding leaves this at most.
_SILENT: Final = 1
# Speech that breaks off is this loud right before and after, relative to all speech (dB).
_LOUD: Final = -20.0


def find_dropouts(
    samples: Samples, speech: Sequence[SpeechRange], speech_power: float
) -> list[SpeechRange]:
    """The ranges of digital silence that begin and end in the middle of a sound.

    Args:
        samples: The sound.
        speech: Its speech.
        speech_power: The mean power of the speech; full scale is 1.
    """
    least = speech_power * FULL_SCALE**2 * 10 ** (_LOUD / 10)
    silent = np.zeros(len(samples) + 2, np.int8)
    silent[1:-1] = np.abs(samples.astype(np.int32)) <= _SILENT
    steps = np.diff(silent)
    found = []
    starts, ends = (np.flatnonzero(steps == step).tolist() for step in (1, -1))
    for start, end in zip(starts, ends, strict=True):
        fits = SHORTEST <= end - start <= LONGEST
        if fits and _is_spoken(speech, start, end) and _is_loud(samples, start, end, least):
            found.append(SpeechRange(start=start, end=end))
    return found


def _is_spoken(speech: Sequence[SpeechRange], start: int, end: int) -> bool:
    """Whether speech reaches this range from before and from after."""
    before = any(each.start < start <= each.end + LONGEST for each in speech)
    after = any(each.start - LONGEST <= end < each.end for each in speech)
    return before and after


def _is_loud(samples: Samples, start: int, end: int, least: float) -> bool:
    edges = (samples[max(0, start - FRAME) : start], samples[end : end + FRAME])
    return all(
        len(edge) == FRAME and float(np.mean(edge.astype(np.float64) ** 2)) >= least
        for edge in edges
    )
