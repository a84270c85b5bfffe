"""Voice activity detection for audio without a plan, and to check recognised text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maie_asr.engine import Samples, SpeechRange
from maie_asr.unread import Interval
from maie_speech.band import BandWatch, band_levels
from maie_speech.finder import SpeechFinder, speech_rules
from maie_speech.frames import FRAME_SAMPLES, SAMPLE_RATE, WINDOW_FRAMES
from maie_speech.silero import SHIPPED_MODEL, SileroTrack, open_model

# The probability from which a frame may be speech, and the least share of such frames in speech.
# Measured shares (docs/accuracy.md): in full band, speech at 0 dB SNR 0.41, white noise at most
# 0.05; in telephone band, speech 0.09 (rarely less at 10 dB SNR), noise at most 0.03.
POSSIBLE_WIDE, POSSIBLE_SHARE_WIDE = 0.15, 0.2
POSSIBLE_NARROW, POSSIBLE_SHARE_NARROW = 0.05, 0.05
# The probability from which a frame is surely speech: Silero's own, and one that in telephone band
# only speech reaches.
SURE_WIDE = 0.5
SURE_NARROW = 0.15


class VoiceActivity:
    """The VAD's output for one chunk, computed once and only as far as it is asked for.

    Not for several threads at once.

    Args:
        samples: The chunk's audio.
    """

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._track: SileroTrack | None = None
        self._band = BandWatch()
        self._computed = 0
        frames = -(-len(samples) // FRAME_SAMPLES)
        self._probabilities = np.zeros(frames)
        self._narrow = np.zeros(frames, bool)

    def find_speech(self) -> tuple[SpeechRange, ...]:
        """Finds speech in audio without a plan, as preprocess does by default.

        Returns:
            The speech ranges, padded, in order and without overlap.
        """
        self._compute(len(self._probabilities))
        finder = SpeechFinder(speech_rules())
        found = finder.feed(self._probabilities.tolist(), self._narrow.tolist())
        found += finder.finish(len(self._samples))
        return tuple(SpeechRange(start=each.start, end=each.end) for each in found)

    def may_be_speech(self, places: Iterable[Interval]) -> bool:
        """Whether some intervals may hold speech: the VAD does not rule it out.

        Args:
            places: Intervals of the chunk, in any order; they may overlap.
        """
        frames = self._frames(places)
        if not len(frames):
            return False
        narrow = self._narrow[frames]
        is_possible = self._probabilities[frames] >= np.where(
            narrow, POSSIBLE_NARROW, POSSIBLE_WIDE
        )
        least = np.where(narrow, POSSIBLE_SHARE_NARROW, POSSIBLE_SHARE_WIDE)
        return bool(np.mean(is_possible) >= np.mean(least))

    def surely_spoken_seconds(self, place: Interval) -> float:
        """The seconds in an interval of the chunk that are surely speech."""
        frames = self._frames([place])
        is_sure = self._probabilities[frames] >= np.where(
            self._narrow[frames], SURE_NARROW, SURE_WIDE
        )
        return float(np.count_nonzero(is_sure)) * FRAME_SAMPLES / SAMPLE_RATE

    def _frames(self, places: Iterable[Interval]) -> NDArray[np.intp]:
        """The frames of some intervals, computed."""
        inside = np.zeros(len(self._probabilities), bool)
        for place in places:
            first = max(0, round(place.start * SAMPLE_RATE))
            last = min(len(self._samples), round(place.end * SAMPLE_RATE))
            if first < last:
                inside[first // FRAME_SAMPLES : -(-last // FRAME_SAMPLES)] = True
        frames = np.flatnonzero(inside)
        if len(frames):
            self._compute(int(frames[-1]) + 1)
        return frames

    def _compute(self, frames: int) -> None:
        """Computes all frames up to a number of them, window by window."""
        # Not before: the first one loads the model, which is no work for an event loop.
        self._track = track = self._track or SileroTrack(_model())
        while self._computed < frames:
            start = self._computed
            window = self._samples[start * FRAME_SAMPLES : (start + WINDOW_FRAMES) * FRAME_SAMPLES]
            probabilities = track.feed(window.tobytes())
            self._computed += len(probabilities)
            self._probabilities[start : self._computed] = probabilities
            narrow = self._band.feed(band_levels(window), len(probabilities))
            self._narrow[start : self._computed] = narrow


@cache
def _model() -> Any:
    return open_model(SHIPPED_MODEL.read_bytes())
