"""From probabilities of speech to utterances. Pure: no audio, no model, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from maie_preprocess.engine import FRAME_SAMPLES, SAMPLE_RATE
from maie_preprocess.settings import PreprocessSettings

# Frames on each side of a place that say how likely speech is there.
SPLIT_REACH: Final = 2


@dataclass(kw_only=True, frozen=True, slots=True, order=True)
class Span:
    """A stretch of a recording in samples at 16 kHz; `end` is exclusive."""

    start: int
    end: int


@dataclass(kw_only=True, frozen=True, slots=True)
class SpeechRules:
    """When speech begins and ends.

    Attributes:
        threshold: Speech begins at a probability of at least this.
        negative_threshold: A pause begins below this.
        min_speech: Frames; shorter speech is dropped.
        min_silence: Frames; a shorter pause ends nothing.
        max_speech: Frames; longer speech is split.
        pad: Samples kept on each side; at most half of `min_silence`.
    """

    threshold: float
    negative_threshold: float
    min_speech: int
    min_silence: int
    max_speech: int
    pad: int


def rules_of(settings: PreprocessSettings) -> SpeechRules:
    """The settings in frames and samples."""
    return SpeechRules(
        threshold=settings.vad_threshold,
        negative_threshold=settings.vad_negative_threshold,
        min_speech=_frames(settings.vad_min_speech_ms),
        min_silence=_frames(settings.vad_min_silence_ms),
        max_speech=_frames(settings.vad_max_speech_seconds * 1000),
        pad=settings.vad_speech_pad_ms * SAMPLE_RATE // 1000,
    )


def _frames(milliseconds: float) -> int:
    """How many frames cover a time."""
    samples = round(milliseconds * SAMPLE_RATE / 1000)
    return -(-samples // FRAME_SAMPLES)


class SpeechFinder:
    """Finds utterances while a recording passes by.

    The hysteresis is Silero's own: speech begins at one threshold, and ends
    where a pause that began below a lower one has lasted long enough. An
    utterance that grows too long is split where speech was least probable in
    its second half; its parts then touch, without padding between them.
    """

    def __init__(self, rules: SpeechRules) -> None:
        self._rules = rules
        self._frame = 0
        self._start: int | None = None
        self._continues = False
        self._pause: int | None = None
        self._probabilities: list[float] = []

    @property
    def watermark(self) -> int:
        """No utterance yet to come begins before this sample."""
        if self._start is not None:
            return self._padded_start(self._start)
        return self._padded(self._frame)

    def feed(self, probabilities: Iterable[float]) -> list[Span]:
        """Takes the next frames and gives the utterances that ended in them."""
        return [span for value in probabilities for span in self._step(value)]

    def finish(self, samples: int) -> list[Span]:
        """Ends the recording.

        Args:
            samples: The recording's length, which its last frame may exceed.
        """
        if self._start is None:
            return []
        found = self._close(self._pause if self._pause is not None else self._frame)
        return [Span(start=span.start, end=min(span.end, samples)) for span in found]

    def _step(self, probability: float) -> list[Span]:
        frame, self._frame = self._frame, self._frame + 1
        if self._start is None:
            if probability < self._rules.threshold:
                return []
            self._start, self._continues = frame, False
        self._probabilities.append(probability)
        if probability >= self._rules.threshold:
            self._pause = None
        elif probability < self._rules.negative_threshold and self._pause is None:
            self._pause = frame
        if self._pause is None:
            too_long = self._frame - self._start > self._rules.max_speech
            return [self._split()] if too_long else []
        over = frame - self._pause >= self._rules.min_silence
        return self._close(self._pause) if over else []

    def _close(self, end: int) -> list[Span]:
        assert self._start is not None
        start, continues = self._start, self._continues
        span = Span(start=self._padded_start(start), end=end * FRAME_SAMPLES + self._rules.pad)
        self._start, self._continues, self._pause = None, False, None
        self._probabilities.clear()
        return [span] if continues or end - start >= self._rules.min_speech else []

    def _split(self) -> Span:
        assert self._start is not None
        start = self._start
        last = self._rules.max_speech
        cut = min(range(last // 2, last + 1), key=lambda frame: (self._score(frame), -frame))
        span = Span(start=self._padded_start(start), end=(start + cut) * FRAME_SAMPLES)
        self._start, self._continues = start + cut, True
        del self._probabilities[:cut]
        return span

    def _score(self, frame: int) -> float:
        around = self._probabilities[max(0, frame - SPLIT_REACH) : frame + SPLIT_REACH]
        return sum(around) / len(around)

    def _padded_start(self, start: int) -> int:
        return start * FRAME_SAMPLES if self._continues else self._padded(start)

    def _padded(self, frame: int) -> int:
        return max(0, frame * FRAME_SAMPLES - self._rules.pad)
