"""The readings of one utterance: partials while it grows, one ahead of its end, and its final."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from maie_asr.engine import SAMPLE_RATE, RecognizedSegment, Samples, SpeechRange
from maie_asr.live.engine import Effort, LiveEngine, LiveReading
from maie_asr.live.judge import Judge
from maie_asr.live.messages import Response, partial_event, turn_event
from maie_asr.live.options import TrackOptions
from maie_asr.live.scheduler import Job, Priority, Scheduler, Work
from maie_asr.settings import SuspectTextSettings
from maie_asr.suspects import SuspectFinder
from maie_speech.agreement import PartialText, StablePrefix
from maie_speech.finder import Span
from maie_speech.live.outbox import Outbox
from maie_speech.turns import Turn

# Of the words that were stable in 40 readings by tiny.en, clean and in noise, with a partial each
# second, 2.8 % differed from the final; 4.5 % where shorter audio counted as well. Either way half
# of the words were stable before the end.
STABILITY = 0.97
STABLE_SAMPLES = 2 * SAMPLE_RATE


@dataclass(kw_only=True, frozen=True, slots=True)
class Recognizer:
    """What all tracks share.

    Attributes:
        engine: Reads.
        scheduler: Says when.
        suspect_text: What counts as a loop.
        judge: Says whether speakers are done; None where no model does.
    """

    engine: LiveEngine
    scheduler: Scheduler
    suspect_text: SuspectTextSettings
    judge: Judge | None = None


class Utterance:
    """One utterance.

    Args:
        started: Its start.
        options: What it is recognised by.
        recognizer: Reads it.
        latest: Gives its audio so far and where that ends; None while nobody speaks.
        outbox: Gets partials and announced ends.
    """

    def __init__(
        self,
        started: Turn,
        options: TrackOptions,
        recognizer: Recognizer,
        latest: Callable[[], tuple[Span, Samples] | None],
        outbox: Outbox[Response],
    ) -> None:
        self.thinning = 0
        self._number = started.number
        self._options = options
        self._scheduler = recognizer.scheduler
        self._suspect_text = recognizer.suspect_text
        self._spoken = recognizer.engine.open(options.recognize)
        self._latest = latest
        self._outbox = outbox
        self._prefix = StablePrefix()
        # The last text that was sent, where only stable text is.
        self._offered = ""
        self._partial: Job[LiveReading | None] | None = None
        self._read_until = started.offset
        self._eager: Job[LiveReading | None] | None = None
        self._announced = False
        self._over = False

    def grow(self, position: int) -> None:
        """Asks for a partial where one is due; one at a time, of whatever audio there is then."""
        if not self._options.partials or (self._partial and not self._partial.result.done()):
            return
        thinning = self._scheduler.thinning
        waited = (position - self._read_until) / SAMPLE_RATE
        if waited >= self._options.interval * thinning:
            self.thinning = thinning
            self._partial = self._submit(Priority.PARTIAL, self._read_partial)

    def expect_end(self, turn: Turn, samples: Samples) -> None:
        """Reads the utterance to its probable end."""
        job = self._submit(Priority.EAGER, self._final(samples))
        self._eager = job
        self._drop_partial()
        if self._options.eager_end:
            job.result.add_done_callback(lambda _: self._announce(job, turn))

    def resume(self) -> bool:
        """Takes the probable end back.

        Returns:
            Whether it was announced.
        """
        if self._eager is not None:
            self._drop(self._eager)
        announced, self._eager, self._announced = self._announced, None, False
        return announced

    def end(self, samples: Samples) -> Job[LiveReading | None]:
        """Ends the utterance.

        Returns:
            Its final reading, which may be done already.
        """
        self._over = True
        self._drop_partial()
        if self._eager is None:
            return self._submit(Priority.FINAL, self._final(samples))
        self._scheduler.promote(self._eager, Priority.FINAL)
        return self._eager

    def abandon(self) -> None:
        """Drops what was not read yet."""
        self._over = True
        self._drop_partial()
        self.resume()

    def _submit(
        self, priority: Priority, work: Work[LiveReading | None]
    ) -> Job[LiveReading | None]:
        """Queues a reading; one that does not return ends the track."""
        return self._scheduler.submit(priority, work, self._outbox.finish)

    def _drop_partial(self) -> None:
        if self._partial is not None:
            self._drop(self._partial)

    def _drop(self, job: Job[LiveReading | None]) -> None:
        if not job.result.done():
            self._spoken.drop()
        self._scheduler.withdraw(job)

    def _announce(self, job: Job[LiveReading | None], turn: Turn) -> None:
        if job.result.cancelled() or job.result.exception() or self._over:
            return
        reading = job.result.result()
        if reading is not None and self._eager is job:
            self._announced = True
            self._outbox.put(turn_event(turn, reading.text))

    async def _read_partial(self) -> LiveReading | None:
        """Reads what there is, and sends it unless the utterance has paused meanwhile."""
        found = self._latest()
        if found is None or self._over:
            return None
        span, samples = found
        self._read_until = span.end
        job = self._partial
        reading = await self._spoken.read(samples, Effort.PARTIAL)
        wanted = job is not None and not job.result.cancelled()
        if wanted and reading.text and not self._loops(reading, samples):
            self._offer(span, reading.text)
        return reading

    def _offer(self, span: Span, text: str) -> None:
        """Sends what is stable enough of a partial, where that is new."""
        found = PartialText("", text)
        if span.end - span.start >= STABLE_SAMPLES:
            found = self._prefix.feed(text)
        if least := self._options.min_stability:
            found = PartialText(found.stable if least <= STABILITY else "", "")
            if found.stable == self._offered:
                return
            self._offered = found.stable
        self._outbox.offer(partial_event(self._number, span, found, STABILITY))

    def _final(self, samples: Samples) -> Callable[[], Awaitable[LiveReading | None]]:
        async def read() -> LiveReading | None:
            effort = Effort.QUICK if self._scheduler.pressed else Effort.FULL
            reading = await self._spoken.read(samples, effort)
            if self._options.without_loops and self._loops(reading, samples):
                return replace(reading, text="", words=(), confidence=None)
            return reading

        return read

    def _loops(self, reading: LiveReading, samples: Samples) -> bool:
        whole = SpeechRange(start=0, end=len(samples))
        segment = RecognizedSegment(
            text=reading.text,
            start=0.0,
            end=len(samples) / SAMPLE_RATE,
            language=reading.language,
        )
        return bool(SuspectFinder(self._suspect_text, (whole,)).judge(segment))
