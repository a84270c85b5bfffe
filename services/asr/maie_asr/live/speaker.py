"""Who speaks in one track: from its audio to the starts and ends of its utterances."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from maie_asr.engine import Samples
from maie_asr.live.engine import LiveReading
from maie_asr.live.judge import MAX_JUDGED_SAMPLES
from maie_asr.live.listening import Listener
from maie_asr.live.messages import Response, turn_event
from maie_asr.live.options import TrackOptions
from maie_asr.live.scheduler import Job
from maie_asr.live.utterance import Recognizer, Utterance
from maie_speech.finder import Span
from maie_speech.frames import FRAME_SAMPLES
from maie_speech.live.audio import TrackAudio
from maie_speech.live.outbox import Outbox
from maie_speech.turn_machine import TurnMachine
from maie_speech.turns import Turn, TurnCause, TurnChange


@dataclass(kw_only=True, frozen=True, slots=True)
class Ending:
    """An utterance that is over and has no final yet.

    Attributes:
        turn: Its end.
        job: Its final reading.
        spoken_at: When the last speech arrived, by the monotonic clock.
        ended_at: When it ended, likewise.
    """

    turn: Turn
    job: Job[LiveReading | None]
    spoken_at: float
    ended_at: float


class Speaker:
    """Follows one track. Its methods are called one after another.

    Args:
        machine: Says when utterances begin and end.
        start: The track's first sample.
        options: What it is recognised by.
        recognizer: Reads its utterances.
        listener: Finds its speech.
        executor: Where the listener runs.
        outbox: Gets turns and partials.
        ended: Gets each utterance that is over.
    """

    def __init__(
        self,
        *,
        machine: TurnMachine,
        start: int,
        options: TrackOptions,
        recognizer: Recognizer,
        listener: Listener,
        executor: Executor,
        outbox: Outbox[Response],
        ended: Callable[[Ending], None],
    ) -> None:
        self._machine = machine
        self._audio = TrackAudio(start)
        self._options = options
        self._recognizer = recognizer
        self._listener = listener
        self._executor = executor
        self._outbox = outbox
        self._ended = ended
        self._utterance: Utterance | None = None
        self._thinning = 0
        # When audio came: the sample after it, and the time.
        self._arrivals: deque[tuple[int, float]] = deque()

    @property
    def received(self) -> int:
        """The sample after the last one that came."""
        return self._audio.end

    @property
    def settled(self) -> int:
        """No utterance that has not ended yet begins before this sample."""
        return min(self._machine.settled, max(self._machine.position, self._audio.end))

    @property
    def thinning(self) -> int:
        """How many times more seldom than asked for the last partial came; 0 before the first."""
        return (self._utterance and self._utterance.thinning) or self._thinning

    def configure(self, options: TrackOptions) -> None:
        """Changes the options, from the next utterance on."""
        self._options = options
        self._machine.configure(options.rules)

    async def hear(self, content: bytes) -> None:
        """Takes the next audio: 16-bit PCM."""
        self._audio.append(content)
        self._arrivals.append((self._audio.end, time.monotonic()))
        await self._listen((self._audio.end - self._machine.position) // FRAME_SAMPLES)
        self._keep_up()

    async def pause(self, samples: int) -> None:
        """Takes silence, for which nothing is computed."""
        begun = (self._audio.end - self._machine.position) % FRAME_SAMPLES
        self._audio.skip(samples)
        self._arrivals.append((self._audio.end, time.monotonic()))
        frames = (self._audio.end - self._machine.position) // FRAME_SAMPLES
        if begun and frames:
            # This frame holds sound as well.
            await self._listen(1)
            frames -= 1
        await self._follow(frames, self._machine.silence)
        self._keep_up()

    def close(self, cause: TurnCause) -> None:
        """Ends the current utterance, where there is one."""
        self._turn(self._machine.close(self._audio.end, cause))
        self._keep_up()

    def abandon(self) -> None:
        """Drops what was not read yet of the current utterance."""
        if self._utterance is not None:
            self._utterance.abandon()

    async def _listen(self, frames: int) -> None:
        if not frames:
            return
        start = self._machine.position
        samples = self._audio.samples(start, start + frames * FRAME_SAMPLES)
        loop = asyncio.get_running_loop()
        heard = await loop.run_in_executor(self._executor, self._listener.feed, samples)
        await self._follow(
            frames,
            lambda left: self._machine.feed(heard.probabilities[-left:], heard.narrow_band[-left:]),
        )

    async def _follow(self, frames: int, take: Callable[[int], Sequence[Turn]]) -> None:
        """Takes frames, and has questions answered before the frames after them.

        Args:
            frames: How many.
            take: Takes the last so many of them, up to the next question.
        """
        end = self._machine.position + frames * FRAME_SAMPLES
        while left := (end - self._machine.position) // FRAME_SAMPLES:
            self._turn(take(left))
            await self._answer()

    async def _answer(self) -> None:
        question, judge = self._machine.question, self._recognizer.judge
        if question is None or judge is None:
            return
        start = max(question.span.start, question.span.end - MAX_JUDGED_SAMPLES)
        probability = await judge.ask(self._audio.samples(start, question.span.end))
        if probability is not None:
            self._turn(self._machine.answer(question, probability))

    def _turn(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            if turn.change is TurnChange.STARTED:
                self._outbox.put(turn_event(turn))
                self._utterance = Utterance(
                    turn, self._options, self._recognizer, self._latest, self._outbox
                )
                continue
            utterance = self._utterance
            assert utterance is not None
            if turn.change is TurnChange.EAGER_END:
                utterance.expect_end(turn, self._samples(turn.span))
            elif turn.change is TurnChange.ENDED:
                self._outbox.put(turn_event(turn))
                self._end(turn, utterance)
            elif utterance.resume():
                self._outbox.put(turn_event(turn))

    def _end(self, turn: Turn, utterance: Utterance) -> None:
        self._thinning = self.thinning
        self._utterance = None
        self._ended(
            Ending(
                turn=turn,
                job=utterance.end(self._samples(turn.span)),
                spoken_at=self._arrival(turn.offset),
                ended_at=time.monotonic(),
            )
        )

    def _keep_up(self) -> None:
        """After each message: asks for a partial, and drops what nobody will ask for."""
        if self._utterance is not None and self._machine.speaking:
            self._utterance.grow(self._machine.position)
        needed = min(self._machine.settled, self._machine.position)
        self._audio.forget(needed)
        while self._arrivals and self._arrivals[0][0] < needed:
            self._arrivals.popleft()

    def _latest(self) -> tuple[Span, Samples] | None:
        first = self._machine.first
        if first is None or not self._machine.speaking:
            return None
        span = Span(start=first, end=self._machine.position)
        return span, self._samples(span)

    def _samples(self, span: Span) -> Samples:
        return self._audio.samples(span.start, span.end)

    def _arrival(self, sample: int) -> float:
        """When a sample came."""
        return next((at for end, at in self._arrivals if end >= sample), time.monotonic())
