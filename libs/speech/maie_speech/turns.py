"""When the utterances of a live track begin and end: what is decided by, and what comes of it."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from maie_speech.finder import (
    MIN_SILENCE_MS,
    MIN_SPEECH_MS,
    NARROW_BAND,
    Span,
    Thresholds,
)
from maie_speech.frames import FRAME_SAMPLES, SAMPLE_RATE

# A pause begins earlier than in recordings: the end of an utterance is found 0.1 s sooner in one of
# twenty (docs/live.md), and utterances are read as well.
LIVE_BAND = Thresholds(0.3, 0.25)
PAUSE_SHARE = LIVE_BAND.end / LIVE_BAND.begin
EAGER_SILENCE_MS = 200
MAX_UTTERANCE_SECONDS = 20.0
END_THRESHOLD = 0.5
QUESTION_SECONDS = 0.2
MAX_SILENCE_SECONDS = 3.0


class TurnChange(enum.Enum):
    """What happens to an utterance."""

    STARTED = enum.auto()
    EAGER_END = enum.auto()
    """It is probably over: ENDED follows with the same span, or RESUMED."""
    RESUMED = enum.auto()
    ENDED = enum.auto()


class TurnCause(enum.Enum):
    """What ends an utterance."""

    SILENCE = enum.auto()
    FINALIZE = enum.auto()
    TRACK_END = enum.auto()
    MAX_LENGTH = enum.auto()
    SHUTDOWN = enum.auto()
    MODEL = enum.auto()
    """A model takes the speaker for done."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Turn:
    """A change of an utterance.

    Attributes:
        change: What happens.
        number: The utterance's number in its track.
        span: The audio to read, padding included; when it starts, as far as it is known.
        offset: The sample at which speech begins or ends.
        cause: What ends it, with EAGER_END and ENDED.
        confidence: How probable it is by a model that the speaker is done, 0 to 1, with ENDED; None
            where no model said so in the last pause.
    """

    change: TurnChange
    number: int
    span: Span
    offset: int
    cause: TurnCause | None = None
    confidence: float | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Question:
    """A question to a model: is the speaker done?

    Attributes:
        number: The utterance's number in its track.
        span: Its audio so far, with the silence at its end.
    """

    number: int
    span: Span


@dataclass(kw_only=True, frozen=True, slots=True)
class QuestionRules:
    """When a model is asked in a pause, and what its answers do.

    Attributes:
        threshold: The probability from which the utterance ends.
        interval: Frames between two questions, at least 1.
        max_silence: Frames of silence that end the utterance whatever the model says.
    """

    threshold: float
    interval: int
    max_silence: int


@dataclass(kw_only=True, frozen=True, slots=True)
class TurnRules:
    """When an utterance begins and ends.

    Attributes:
        wide: The thresholds in sound of full width.
        narrow: The thresholds in the band of a telephone.
        min_speech: Frames; shorter speech is none.
        min_silence: Frames of silence that end an utterance.
        eager_silence: Frames of silence after which it is probably over; 0 for never.
        max_speech: Frames; a longer utterance is divided.
        by_silence: Whether silence ends an utterance at all.
        questions: When a model is asked; None where there is none. Silence of `min_silence` then
            ends nothing.
    """

    wide: Thresholds
    narrow: Thresholds
    min_speech: int
    min_silence: int
    eager_silence: int
    max_speech: int
    by_silence: bool = True
    questions: QuestionRules | None = None

    def thresholds(self, *, narrow_band: bool) -> Thresholds:
        """What holds in the band of a telephone, or else."""
        return self.narrow if narrow_band else self.wide

    @property
    def shortest_silence(self) -> int:
        """The frames of silence from which an utterance may be read to its end."""
        return min(self.eager_silence or self.min_silence, self.min_silence)

    @property
    def longest_silence(self) -> int:
        """The frames of silence that end an utterance whatever a model says."""
        return self.questions.max_silence if self.questions else self.min_silence

    def asks(self, silence: int) -> bool:
        """Whether a model is asked after so many frames of silence."""
        since = silence - self.shortest_silence
        return self.questions is not None and since >= 0 and since % self.questions.interval == 0


def turn_rules(
    *,
    threshold: float | None = None,
    min_silence_seconds: float = MIN_SILENCE_MS / 1000,
    eager_silence_seconds: float = EAGER_SILENCE_MS / 1000,
    max_utterance_seconds: float = MAX_UTTERANCE_SECONDS,
    by_silence: bool = True,
    questions: QuestionRules | None = None,
) -> TurnRules:
    """The rules in frames.

    Args:
        threshold: The probability from which an utterance begins, in sound of every width; a pause
            begins below five sixths of it. Unset: `LIVE_BAND`, and preprocess's in narrow band.
        min_silence_seconds: The silence that ends an utterance.
        eager_silence_seconds: The silence after which it is probably over; 0 for never.
        max_utterance_seconds: The longest utterance.
        by_silence: Whether silence ends an utterance at all.
        questions: When a model is asked; None where there is none.
    """
    chosen = None if threshold is None else Thresholds(threshold, threshold * PAUSE_SHARE)
    return TurnRules(
        wide=chosen or LIVE_BAND,
        narrow=chosen or NARROW_BAND,
        min_speech=_frames(MIN_SPEECH_MS / 1000),
        min_silence=_silent_frames(min_silence_seconds),
        eager_silence=_silent_frames(eager_silence_seconds),
        max_speech=int(max_utterance_seconds * SAMPLE_RATE) // FRAME_SAMPLES,
        by_silence=by_silence,
        questions=questions,
    )


def question_rules(
    *,
    threshold: float = END_THRESHOLD,
    interval_seconds: float = QUESTION_SECONDS,
    max_silence_seconds: float = MAX_SILENCE_SECONDS,
) -> QuestionRules:
    """The rules for a model in frames.

    Args:
        threshold: The probability that the speaker is done from which an utterance ends.
        interval_seconds: The time between two questions in a pause, above 0.
        max_silence_seconds: The silence that ends an utterance whatever the model says.
    """
    return QuestionRules(
        threshold=threshold,
        interval=_frames(interval_seconds),
        max_silence=_frames(max_silence_seconds),
    )


def _silent_frames(seconds: float) -> int:
    """How many frames are silent where there is silence for a time; 0 for none.

    Silence begins before the first of them, in the frame in which speech ends. Of 264 utterances
    in a quiet room, half ended 0.55 s after the last loud 10 ms with 0.5 s of silence, and 99 of
    100 within 0.6 s.
    """
    return max(1, math.floor(seconds * SAMPLE_RATE / FRAME_SAMPLES)) if seconds else 0


def _frames(seconds: float) -> int:
    """How many frames cover a time."""
    return -(-round(seconds * SAMPLE_RATE) // FRAME_SAMPLES)
