"""Cuts long pauses out of a chunk. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maie_asr.engine import SAMPLE_RATE, SpeechRange

# The model's window, in seconds.
WINDOW_SECONDS = 30


@dataclass(kw_only=True, frozen=True, slots=True)
class PauseRules:
    """Which pauses to cut out.

    Attributes:
        min_silence_ms: Shorter pauses are kept.
        speech_pad_ms: Audio kept before and after each speech range.
    """

    min_silence_ms: int
    speech_pad_ms: int


def kept_parts(speech: Iterable[SpeechRange], samples: int, rules: PauseRules) -> list[SpeechRange]:
    """The parts of a chunk between its long pauses, in order and without overlap.

    Args:
        speech: The speech ranges, in order.
        samples: The length of the chunk.
        rules: Which pauses to cut out.
    """
    pad = rules.speech_pad_ms * SAMPLE_RATE // 1000
    least = max(rules.min_silence_ms * SAMPLE_RATE // 1000, 2 * pad)
    parts: list[SpeechRange] = []
    for span in speech:
        if parts and span.start - parts[-1].end < least:
            parts[-1] = SpeechRange(start=parts[-1].start, end=max(parts[-1].end, span.end))
        else:
            parts.append(span)
    return [
        SpeechRange(start=max(0, part.start - pad), end=min(samples, part.end + pad))
        for part in parts
    ]


def join(audio: NDArray[np.float32], parts: Sequence[SpeechRange]) -> NDArray[np.float32]:
    """The parts of some audio, one after another."""
    if len(parts) == 1:
        return audio[parts[0].start : parts[0].end]
    return np.concatenate([audio[part.start : part.end] for part in parts])


def windows(speech: Iterable[SpeechRange]) -> list[SpeechRange]:
    """Groups speech ranges into windows of at most 30 s, which begin and end with speech.

    A longer range is divided evenly.
    """
    most = WINDOW_SECONDS * SAMPLE_RATE
    found: list[SpeechRange] = []
    for span in speech:
        if found and span.end - found[-1].start <= most:
            found[-1] = SpeechRange(start=found[-1].start, end=span.end)
            continue
        count = -(-(span.end - span.start) // most)
        edges = np.linspace(span.start, span.end, count + 1).astype(int).tolist()
        found += [SpeechRange(start=start, end=end) for start, end in itertools.pairwise(edges)]
    return found
