"""Where somebody speaks: for audio that comes without a plan, and to check what was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maie_asr.engine import Samples, SpeechRange
from maie_asr.unread import Stretch
from maie_speech.band import BandWatch, band_levels
from maie_speech.finder import SpeechFinder, speech_rules
from maie_speech.frames import FRAME_SAMPLES, SAMPLE_RATE
from maie_speech.silero import SHIPPED_MODEL, SileroTrack, open_model

# As preprocess reads recordings: ten seconds at once.
WINDOW_SAMPLES = 320 * FRAME_SAMPLES
# Heard before a place, in samples: the model must settle, and the band be known.
LEAD_SAMPLES = 2 * SAMPLE_RATE
# The probability from which the VAD is not sure of nobody, and the least share of such frames in
# speech. By measurement (docs/accuracy.md): of full width, speech in noise as loud as itself has
# 0.41, and white noise 0.05 at most; in telephone band speech has 0.09, with noise of 10 dB rarely
# less, and noise 0.03 at most.
POSSIBLE_WIDE, POSSIBLE_SHARE_WIDE = 0.15, 0.2
POSSIBLE_NARROW, POSSIBLE_SHARE_NARROW = 0.05, 0.05
# The probability from which speech is sure: Silero's own, and one that only speech has in telephone
# band.
SURE_WIDE = 0.5
SURE_NARROW = 0.15


def find_speech(samples: Samples) -> tuple[SpeechRange, ...]:
    """Finds speech in audio that comes without a plan, as preprocess does by default.

    Args:
        samples: The audio, in memory as a whole.

    Returns:
        The stretches of speech, padded, in order and without overlap.
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


def may_be_speech(samples: Samples, places: Sequence[Stretch]) -> bool:
    """Whether somebody may speak in some places: whether the VAD is not sure of nobody.

    Args:
        samples: The chunk's audio.
        places: Where in the chunk, in any order; they may overlap.
    """
    spans = _spans(samples, places)
    if not spans:
        return False
    heard = _listen(samples, spans)
    is_possible = heard.probabilities >= np.where(heard.narrow, POSSIBLE_NARROW, POSSIBLE_WIDE)
    least = np.where(heard.narrow, POSSIBLE_SHARE_NARROW, POSSIBLE_SHARE_WIDE)
    return bool(np.mean(is_possible[heard.inside]) >= np.mean(least[heard.inside]))


def surely_spoken_seconds(samples: Samples, place: Stretch) -> float:
    """For how long the VAD is sure that somebody speaks in a place of a chunk."""
    spans = _spans(samples, [place])
    if not spans:
        return 0.0
    heard = _listen(samples, spans)
    is_sure = heard.probabilities >= np.where(heard.narrow, SURE_NARROW, SURE_WIDE)
    return float(np.count_nonzero(is_sure[heard.inside])) * FRAME_SAMPLES / SAMPLE_RATE


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class _Heard:
    """Frames around some places.

    Attributes:
        probabilities: How likely somebody speaks in each.
        narrow: Whether each is in the band of a telephone.
        inside: Whether each is in one of the places.
    """

    probabilities: NDArray[np.float64]
    narrow: NDArray[np.bool_]
    inside: NDArray[np.bool_]


def _spans(samples: Samples, places: Iterable[Stretch]) -> list[SpeechRange]:
    """The places in samples, as far as the chunk has them."""
    spans = [
        SpeechRange(
            start=max(0, round(place.start * SAMPLE_RATE)),
            end=min(len(samples), round(place.end * SAMPLE_RATE)),
        )
        for place in places
    ]
    return [span for span in spans if span.start < span.end]


def _listen(samples: Samples, spans: Sequence[SpeechRange]) -> _Heard:
    start = max(0, min(span.start for span in spans) - LEAD_SAMPLES)
    sound = samples[start : max(span.end for span in spans)]
    probabilities = SileroTrack(_model()).feed(sound.tobytes())
    inside = np.zeros(len(probabilities), bool)
    for span in spans:
        first, last = span.start - start, span.end - start
        inside[first // FRAME_SAMPLES : -(-last // FRAME_SAMPLES)] = True
    narrow = BandWatch().feed(band_levels(sound), len(probabilities))
    return _Heard(probabilities=np.array(probabilities), narrow=np.array(narrow), inside=inside)


@cache
def _model() -> Any:
    return open_model(SHIPPED_MODEL.read_bytes())
