"""From probabilities of speech to utterances. Pure: no audio, no model, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from maie_speech.frames import FRAME_SAMPLES, SAMPLE_RATE

# Frames on each side of a place that say how likely speech is there.
SPLIT_REACH: Final = 2


@dataclass(kw_only=True, frozen=True, slots=True, order=True)
class Span:
    """A range of a recording in samples at 16 kHz; `end` is exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Speech begins at a probability of at least `begin`, and a pause below `end`."""

    begin: float
    end: float


# By measurement (docs/accuracy.md): of the speech in telephone band Silero is seldom sure, and
# noise, hum and music stay below this there.
WIDE_BAND: Final = Thresholds(0.3, 0.15)
NARROW_BAND: Final = Thresholds(0.1, 0.05)
MIN_SPEECH_MS: Final = 100
MIN_SILENCE_MS: Final = 500
SPEECH_PAD_MS: Final = 250
MAX_SPEECH_SECONDS: Final = 30.0


@dataclass(kw_only=True, frozen=True, slots=True)
class SpeechRules:
    """When speech begins and ends.

    Attributes:
        wide: In sound of full width.
        narrow: In the band of a telephone.
        min_speech: Frames; shorter speech is dropped.
        min_silence: Frames; a shorter pause ends nothing.
        max_speech: Frames; longer speech is split.
        pad: Samples kept on each side; at most half of `min_silence`.
    """

    wide: Thresholds
    narrow: Thresholds
    min_speech: int
    min_silence: int
    max_speech: int
    pad: int

    def thresholds(self, *, narrow_band: bool) -> Thresholds:
        """What holds in the band of a telephone, or else."""
        return self.narrow if narrow_band else self.wide


def speech_rules(
    *,
    wide: Thresholds = WIDE_BAND,
    narrow: Thresholds = NARROW_BAND,
    min_speech_ms: int = MIN_SPEECH_MS,
    min_silence_ms: int = MIN_SILENCE_MS,
    speech_pad_ms: int = SPEECH_PAD_MS,
    max_speech_seconds: float = MAX_SPEECH_SECONDS,
) -> SpeechRules:
    """The rules in frames and samples; what is left out is as preprocess has it by default."""
    return SpeechRules(
        wide=wide,
        narrow=narrow,
        min_speech=_frames(min_speech_ms),
        min_silence=_frames(min_silence_ms),
        max_speech=_frames(max_speech_seconds * 1000),
        pad=speech_pad_ms * SAMPLE_RATE // 1000,
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

    def feed(self, probabilities: Sequence[float], narrow_band: Sequence[bool]) -> list[Span]:
        """Takes the next frames and gives the utterances that ended in them.

        Args:
            probabilities: How likely somebody speaks in each frame.
            narrow_band: Whether each frame is in the band of a telephone.
        """
        return [
            span
            for value, narrow in zip(probabilities, narrow_band, strict=True)
            for span in self._step(value, self._rules.thresholds(narrow_band=narrow))
        ]

    def finish(self, samples: int) -> list[Span]:
        """Ends the recording.

        Args:
            samples: The recording's length, which its last frame may exceed.
        """
        if self._start is None:
            return []
        found = self._close(self._pause if self._pause is not None else self._frame)
        return [Span(start=span.start, end=min(span.end, samples)) for span in found]

    def _step(self, probability: float, thresholds: Thresholds) -> list[Span]:
        frame, self._frame = self._frame, self._frame + 1
        if self._start is None:
            if probability < thresholds.begin:
                return []
            self._start, self._continues = frame, False
        self._probabilities.append(probability)
        if probability >= thresholds.begin:
            self._pause = None
        elif probability < thresholds.end and self._pause is None:
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
