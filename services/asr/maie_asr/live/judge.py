"""Asks a model whether speakers are done."""

from __future__ import annotations

import asyncio

from maie_asr.engine import SAMPLE_RATE, Samples
from maie_asr.live.scheduler import Priority, Scheduler
from maie_asr.live.turn_model import TurnModel

# What a model may need of an utterance; the sound of its end counts.
MAX_JUDGED_SAMPLES = 8 * SAMPLE_RATE


class Judge:
    """Asks by the workers of live speech, for all tracks.

    Args:
        model: Judges.
        scheduler: Says when.
        wait_seconds: The longest wait for an answer.
    """

    def __init__(self, model: TurnModel, scheduler: Scheduler, wait_seconds: float) -> None:
        self._model = model
        self._scheduler = scheduler
        self._wait_seconds = wait_seconds

    async def ask(self, samples: Samples) -> float | None:
        """How probable it is that the speaker is done, 0 to 1; None where the answer is late.

        Args:
            samples: The end of the utterance so far, at most `MAX_JUDGED_SAMPLES`.

        Raises:
            StageError: As the model raises it.
        """
        job = self._scheduler.submit(Priority.TURN, lambda: self._model.probability(samples))
        try:
            done, _ = await asyncio.wait({job.result}, timeout=self._wait_seconds)
            return job.result.result() if done else None
        finally:
            self._scheduler.withdraw(job)
