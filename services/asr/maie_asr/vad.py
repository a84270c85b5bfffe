"""Voice activity detection for audio without a plan, and to check recognised text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maie_asr.engine import Samples, SpeechRange
from maie_asr.unread import Interval
from maie_speech.band import BandWatch, band_levels
from maie_speech.finder import SpeechFinder, speech_rules
from maie_speech.frames import FRAME_SAMPLES, SAMPLE_RATE
from maie_speech.silero import SHIPPED_MODEL, SileroTrack, open_model

# About ten seconds at a time, as in preprocess.
WINDOW_SAMPLES = 320 * FRAME_SAMPLES
# Context before an interval, in samples: the model must settle, and the band be known.
LEAD_SAMPLES = 2 * SAMPLE_RATE
# The probability from which a frame may be speech, and the least share of such frames in speech.
# Measured shares (docs/accuracy.md): in full band, speech at 0 dB SNR 0.41, white noise at most
# 0.05; in telephone band, speech 0.09 (rarely less at 10 dB SNR), noise at most 0.03.
POSSIBLE_WIDE, POSSIBLE_SHARE_WIDE = 0.15, 0.2
POSSIBLE_NARROW, POSSIBLE_SHARE_NARROW = 0.05, 0.05
# The probability from which a frame is surely speech: Silero's own, and one that in telephone band
# only speech reaches.
SURE_WIDE = 0.5
SURE_NARROW = 0.15


def find_speech(samples: Samples) -> tuple[SpeechRange, ...]:
    """Finds speech in audio without a plan, as preprocess does by default.

    Args:
        samples: The audio, in memory as a whole.

    Returns:
        The speech ranges, padded, in order and without overlap.
    """
    finder, track, band = SpeechFinder(speech_rules()), SileroTrack(_model()), BandWatch()
    found = []
    for start in range(0, len(samples), WINDOW_SAMPLES):
        window = samples[start : start + WINDOW_SAMPLES]
        probabilities = track.feed(window.tobytes())
        narrow = band.feed(band_levels(window), len(probabilities))
        found += finder.feed(probabilities, narrow)
    found += finder.finish(len(samples))
    return tuple(SpeechRange(start=each.start, end=each.end) for each in found)


def may_be_speech(samples: Samples, places: Sequence[Interval]) -> bool:
    """Whether some intervals may hold speech: the VAD does not rule it out.

    Args:
        samples: The chunk's audio.
        places: Intervals of the chunk, in any order; they may overlap.
    """
    spans = _spans(samples, places)
    if not spans:
        return False
    frames = _score(samples, spans)
    is_possible = frames.probabilities >= np.where(frames.narrow, POSSIBLE_NARROW, POSSIBLE_WIDE)
    least = np.where(frames.narrow, POSSIBLE_SHARE_NARROW, POSSIBLE_SHARE_WIDE)
    return bool(np.mean(is_possible[frames.inside]) >= np.mean(least[frames.inside]))


def surely_spoken_seconds(samples: Samples, place: Interval) -> float:
    """The seconds in an interval of a chunk that are surely speech."""
    spans = _spans(samples, [place])
    if not spans:
        return 0.0
    frames = _score(samples, spans)
    is_sure = frames.probabilities >= np.where(frames.narrow, SURE_NARROW, SURE_WIDE)
    return float(np.count_nonzero(is_sure[frames.inside])) * FRAME_SAMPLES / SAMPLE_RATE


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class _FrameScores:
    """The VAD's output for the frames around some intervals.

    Attributes:
        probabilities: Each frame's probability of speech.
        narrow: Whether each frame is in telephone band.
        inside: Whether each frame is in one of the intervals.
    """

    probabilities: NDArray[np.float64]
    narrow: NDArray[np.bool_]
    inside: NDArray[np.bool_]


def _spans(samples: Samples, places: Iterable[Interval]) -> list[SpeechRange]:
    """The intervals in samples, clipped to the chunk."""
    spans = [
        SpeechRange(
            start=max(0, round(place.start * SAMPLE_RATE)),
            end=min(len(samples), round(place.end * SAMPLE_RATE)),
        )
        for place in places
    ]
    return [span for span in spans if span.start < span.end]


def _score(samples: Samples, spans: Sequence[SpeechRange]) -> _FrameScores:
    start = max(0, min(span.start for span in spans) - LEAD_SAMPLES)
    sound = samples[start : max(span.end for span in spans)]
    probabilities = SileroTrack(_model()).feed(sound.tobytes())
    inside = np.zeros(len(probabilities), bool)
    for span in spans:
        first, last = span.start - start, span.end - start
        inside[first // FRAME_SAMPLES : -(-last // FRAME_SAMPLES)] = True
    narrow = BandWatch().feed(band_levels(sound), len(probabilities))
    return _FrameScores(
        probabilities=np.array(probabilities), narrow=np.array(narrow), inside=inside
    )


@cache
def _model() -> Any:
    return open_model(SHIPPED_MODEL.read_bytes())
