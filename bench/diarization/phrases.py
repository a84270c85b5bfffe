"""Speech cut into phrases: the parts of an utterance between its pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.readings import SAMPLE_RATE, Audio, SpokenWord

# NIST's Rich Transcription evaluations count a shorter pause as a part of the speech around it.
PAUSE_SECONDS = 0.3
# A shorter sound is a click or a breath as often as speech.
SHORTEST_SECONDS = 0.3
# Readers go on for longer than people who talk to each other.
LONGEST_SECONDS = 6.0
FADE_SECONDS = 0.01
# Most of what speech has and hum and hiss have not, in hertz.
_BAND = (200, 4000)
_STEP = SAMPLE_RATE // 100
_WINDOW = 400
_SMOOTH_FRAMES = 5
# Speech is up to this much softer than an utterance's loud frames, and this much louder than
# its soft ones; but where an utterance has no pause, its soft frames are speech too. With these,
# ten speakers of LibriSpeech lack 5 % of the speech that Silero finds, and have 3 % that it does
# not find.
_SOFTER_DB = 38.0
_LOUDER_DB = 6.0
_LEAST_SOFTER_DB = 10.0
_SILENCE = 1e-12

Run = tuple[int, int]
"""Frames of 10 ms; the last one is exclusive."""


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Phrase:
    """Speech of one voice from its first sound to its last, without a pause.

    Attributes:
        audio: The sound, of shape (samples,).
        words: The words with their times in the phrase; empty where they are not known.
    """

    audio: Audio
    words: tuple[SpokenWord, ...] = ()

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.audio) / SAMPLE_RATE


def phrases(audio: Audio, words: Sequence[SpokenWord] = ()) -> list[Phrase]:
    """Cuts an utterance at its pauses.

    Args:
        audio: The sound, of shape (samples,).
        words: Its words, if they are known; each goes to the phrase where its middle is.
    """
    return [
        Phrase(audio=_faded(audio[first:last]), words=_within(words, first, last))
        for first, last in speech_ranges(audio)
    ]


def speech_ranges(audio: Audio) -> list[tuple[int, int]]:
    """Where an utterance is loud enough for speech, in samples, by the level of its frames."""
    centre = _WINDOW // 2
    return [
        (first * _STEP + centre, min(len(audio), last * _STEP + centre))
        for first, last in _speech(_loud_runs(audio))
    ]


def _speech(runs: Sequence[Run]) -> list[Run]:
    """Joins what no pause divides, and divides what is too long where it is softest longest."""
    groups: list[list[Run]] = []
    for run in runs:
        if groups and run[0] - groups[-1][-1][1] < PAUSE_SECONDS * 100:
            groups[-1].append(run)
        else:
            groups.append([run])
    parts = [part for group in groups for part in _divided(group)]
    return [part for part in parts if part[1] - part[0] >= SHORTEST_SECONDS * 100]


def _divided(group: Sequence[Run]) -> list[Run]:
    first, last = group[0][0], group[-1][1]
    if len(group) == 1 or last - first <= LONGEST_SECONDS * 100:
        return [(first, last)]
    gaps = [after[0] - before[1] for before, after in pairwise(group)]
    cut = gaps.index(max(gaps)) + 1
    return _divided(group[:cut]) + _divided(group[cut:])


def _loud_runs(audio: Audio) -> list[Run]:
    if len(audio) < _WINDOW:
        return []
    levels = _levels(audio)
    loudest, softest = np.percentile(levels, 95), np.percentile(levels, 3)
    threshold = min(max(loudest - _SOFTER_DB, softest + _LOUDER_DB), loudest - _LEAST_SOFTER_DB)
    loud = np.concatenate([[False], levels > threshold, [False]])
    changes = np.flatnonzero(np.diff(loud.astype(np.int8))).reshape(-1, 2)
    return [(first, last) for first, last in changes.tolist()]


def _levels(audio: Audio) -> NDArray[np.float64]:
    """The level of each 10 ms in the band of speech, in dB."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, _WINDOW)[::_STEP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW))) ** 2
    hertz = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)
    band = power[:, (hertz >= _BAND[0]) & (hertz <= _BAND[1])].sum(axis=1)
    smooth = np.convolve(band, np.full(_SMOOTH_FRAMES, 1 / _SMOOTH_FRAMES), "same")
    return 10 * np.log10(np.maximum(smooth, _SILENCE))


def _faded(audio: Audio) -> Audio:
    ramp = np.linspace(0, 1, round(FADE_SECONDS * SAMPLE_RATE), dtype=np.float32)
    faded = audio.copy()
    faded[: len(ramp)] *= ramp
    faded[len(faded) - len(ramp) :] *= ramp[::-1]
    return faded


def _within(words: Sequence[SpokenWord], first: int, last: int) -> tuple[SpokenWord, ...]:
    start, end = first / SAMPLE_RATE, last / SAMPLE_RATE
    return tuple(
        SpokenWord(text=word.text, start=max(0.0, word.start - start), end=word.end - start)
        for word in words
        if start <= (word.start + word.end) / 2 < end
    )
