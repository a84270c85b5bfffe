"""From probabilities of speech to utterances, while somebody speaks.

Pure: no audio, no model, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from maie_speech.finder import SPEECH_PAD_MS, SPLIT_REACH, Span
from maie_speech.frames import FRAME_SAMPLES, SAMPLE_RATE
from maie_speech.turns import Question, Turn, TurnCause, TurnChange, TurnRules

PAD_SAMPLES = SPEECH_PAD_MS * SAMPLE_RATE // 1000


@dataclass(kw_only=True, slots=True)
class _Speech:
    """Speech that has not ended.

    Attributes:
        rules: The rules when it began.
        start: Its first frame.
        first: Its first sample, padding included.
        started: Whether it is long enough to be an utterance.
        pause: The frame in which it paused; None while somebody speaks.
        eager: Whether the end was announced.
        confidence: How probable it is by a model that the speaker is done, by its last answer in
            this pause.
        probabilities: Those of its frames.
    """

    rules: TurnRules
    start: int
    first: int
    started: bool = False
    pause: int | None = None
    eager: bool = False
    confidence: float | None = None
    probabilities: list[float] = field(default_factory=list)


class TurnMachine:
    """Finds the utterances of one track.

    Each utterance that starts ends exactly once, whatever comes in whatever order, provided that
    the last thing is `close`. The hysteresis is that of `SpeechFinder`: speech begins at one
    threshold, and ends where a pause that began below a lower one has lasted long enough, or where
    a model says so: the machine asks questions, and takes the answers like audio.

    Args:
        rules: When utterances begin and end.
        start: The track's first sample.
        settled: Speech before this sample has ended already, and belongs to no utterance.
        number: The number of the next utterance.
    """

    def __init__(
        self, rules: TurnRules, *, start: int = 0, settled: int = 0, number: int = 1
    ) -> None:
        self._rules = rules
        self._origin = start
        self._frame = 0
        # No utterance begins before this sample.
        self._floor = max(start, settled)
        self._number = number
        self._speech: _Speech | None = None
        self._question: Question | None = None

    @property
    def position(self) -> int:
        """The sample after the last frame."""
        return self._at(self._frame)

    @property
    def settled(self) -> int:
        """No utterance that has not ended yet begins before this sample."""
        return self._speech.first if self._speech else self._padded(self._frame)

    @property
    def first(self) -> int | None:
        """The first sample of the current utterance; None where there is none."""
        return self._speech.first if self._speech and self._speech.started else None

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks right now."""
        speech = self._speech
        return speech is not None and speech.started and speech.pause is None

    @property
    def question(self) -> Question | None:
        """What a model is to answer before the next frame; None where nothing is asked."""
        return self._question

    def configure(self, rules: TurnRules) -> None:
        """Changes the rules, from the next utterance on."""
        self._rules = rules

    def feed(self, probabilities: Sequence[float], narrow_band: Sequence[bool]) -> list[Turn]:
        """Takes the next frames, but none after one that raises a question.

        Args:
            probabilities: How likely somebody speaks in each frame.
            narrow_band: Whether each frame is in the band of a telephone.
        """
        turns: list[Turn] = []
        for value, narrow in zip(probabilities, narrow_band, strict=True):
            turns += self._step(value, narrow_band=narrow)
            if self._question:
                break
        return turns

    def silence(self, frames: int) -> list[Turn]:
        """Takes frames in which nobody speaks, at a bounded cost, but none after a question."""
        turns: list[Turn] = []
        while frames and self._speech:
            turns += self._step(0.0, narrow_band=False)
            frames -= 1
            if self._question:
                return turns
        self._frame += frames
        return turns

    def answer(self, question: Question, probability: float) -> list[Turn]:
        """Takes the answer of a model, which counts until the next frame and only once.

        Args:
            question: What was asked.
            probability: How probable it is that the speaker is done, 0 to 1.
        """
        speech = self._speech
        if speech is None or speech.rules.questions is None or question != self._question:
            return []
        self._question = None
        speech.confidence = probability
        if probability < speech.rules.questions.threshold:
            return []
        return [self._end(TurnCause.MODEL, self.position)]

    def close(self, position: int, cause: TurnCause) -> list[Turn]:
        """Ends the current utterance, where there is one.

        Args:
            position: How much audio there is: more than the frames, or less than the last one.
            cause: Why.
        """
        if self._speech is None or not self._speech.started:
            return []
        return [self._end(cause, position)]

    def _step(self, probability: float, *, narrow_band: bool) -> list[Turn]:
        frame, self._frame = self._frame, self._frame + 1
        self._question = None
        if self.position <= self._floor:
            return []
        rules = self._speech.rules if self._speech else self._rules
        thresholds = rules.thresholds(narrow_band=narrow_band)
        if self._speech is None:
            if probability < thresholds.begin:
                return []
            self._speech = _Speech(rules=rules, start=frame, first=self._padded(frame))
        speech = self._speech
        speech.probabilities.append(probability)
        turns: list[Turn] = []
        if probability >= thresholds.begin:
            turns += self._resume(speech)
        elif probability < thresholds.end and speech.pause is None:
            speech.pause = frame
        return turns + self._judge(speech)

    def _resume(self, speech: _Speech) -> list[Turn]:
        speech.pause = speech.confidence = None
        if not speech.eager:
            return []
        speech.eager = False
        return [self._turn(TurnChange.RESUMED, speech, self.position, self.position)]

    def _judge(self, speech: _Speech) -> list[Turn]:
        """What has come of the speech by its last frame."""
        rules, length = speech.rules, self._frame - speech.start
        if speech.pause is None:
            if not speech.started:
                return self._start(speech) if length >= rules.min_speech else []
            return self._divide(speech) if length > rules.max_speech else []
        silence = self._frame - speech.pause
        if not speech.started:
            self._speech = None if silence >= rules.min_silence else speech
            return []
        if rules.by_silence and silence >= rules.longest_silence:
            return [self._end(TurnCause.SILENCE, self.position)]
        if length > rules.max_speech:
            return [self._end(TurnCause.MAX_LENGTH, self.position)]
        if rules.asks(silence):
            span = Span(start=speech.first, end=self.position)
            self._question = Question(number=self._number, span=span)
        if rules.by_silence and not speech.eager and silence == rules.eager_silence:
            speech.eager = True
            end = self._padded_end(speech, self.position)
            offset = self._at(speech.pause)
            return [self._turn(TurnChange.EAGER_END, speech, end, offset, TurnCause.SILENCE)]
        return []

    def _start(self, speech: _Speech) -> list[Turn]:
        speech.started = True
        offset = max(self._at(speech.start), speech.first)
        return [self._turn(TurnChange.STARTED, speech, self.position, offset)]

    def _divide(self, speech: _Speech) -> list[Turn]:
        """Ends the utterance where speech is least probable in its second half."""
        longest = speech.rules.max_speech
        cut = min(range(longest // 2, longest + 1), key=lambda at: (_around(speech, at), -at))
        place = self._at(speech.start + cut)
        ended = self._turn(TurnChange.ENDED, speech, place, place, TurnCause.MAX_LENGTH)
        self._forget(place)
        self._speech = rest = _Speech(rules=self._rules, start=speech.start + cut, first=place)
        rest.probabilities = speech.probabilities[cut:]
        return [ended, *self._start(rest)]

    def _end(self, cause: TurnCause, position: int) -> Turn:
        assert self._speech is not None
        speech = self._speech
        end = self._padded_end(speech, position)
        offset = end if speech.pause is None else min(self._at(speech.pause), position)
        turn = self._turn(TurnChange.ENDED, speech, end, offset, cause)
        self._forget(end)
        return turn

    def _forget(self, end: int) -> None:
        self._speech, self._question, self._floor = None, None, end
        self._number += 1

    def _turn(
        self,
        change: TurnChange,
        speech: _Speech,
        end: int,
        offset: int,
        cause: TurnCause | None = None,
    ) -> Turn:
        span = Span(start=speech.first, end=end)
        confidence = speech.confidence if change is TurnChange.ENDED else None
        return Turn(
            change=change,
            number=self._number,
            span=span,
            offset=offset,
            cause=cause,
            confidence=confidence,
        )

    def _padded_end(self, speech: _Speech, position: int) -> int:
        """The same whether it is asked for early or late in the pause."""
        if speech.pause is None:
            return position
        pad = min(PAD_SAMPLES, speech.rules.shortest_silence * FRAME_SAMPLES)
        return min(self._at(speech.pause) + pad, position)

    def _padded(self, frame: int) -> int:
        return max(self._floor, self._at(frame) - PAD_SAMPLES)

    def _at(self, frame: int) -> int:
        return self._origin + frame * FRAME_SAMPLES


def _around(speech: _Speech, frame: int) -> float:
    around = speech.probabilities[max(0, frame - SPLIT_REACH) : frame + SPLIT_REACH]
    return sum(around) / len(around)
