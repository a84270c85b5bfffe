"""Runs an engine over the windows of many live tracks, a few at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Executor

from maie_diarization.engine import Engine, Samples, SpeechRange, Voice
from maie_runtime.worker.blocking import run_blocking
from maie_runtime.worker.stage import ignore_heartbeat
from maie_speech.live.stalls import Blame, StallWatch


class LiveListener:
    """Finds the voices in windows, in the order in which they come.

    Args:
        engine: The engine.
        executor: Where it runs.
        workers: How many windows it hears at a time.
        stalls: Watches that each returns.
    """

    def __init__(
        self, engine: Engine, executor: Executor, workers: int, stalls: StallWatch
    ) -> None:
        self._engine = engine
        self._executor = executor
        self._stalls = stalls
        self._free = asyncio.Semaphore(workers)
        self._waiting: set[float] = set()

    def lateness(self) -> float:
        """How long the oldest window has waited for a worker, in seconds."""
        return time.monotonic() - min(self._waiting) if self._waiting else 0.0

    async def listen(self, samples: Samples, blame: Blame) -> Sequence[Voice]:
        """Finds the voices in a window.

        Args:
            samples: The window.
            blame: Gets the error, if the engine does not return.

        Raises:
            StageError: From the engine.
        """
        since = time.monotonic()
        self._waiting.add(since)
        try:
            await self._free.acquire()
        finally:
            self._waiting.discard(since)
        speech = [SpeechRange(start=0, end=len(samples))]
        try:
            with self._stalls.reading(blame):
                return await run_blocking(
                    self._executor,
                    lambda beat: self._engine.listen(samples, speech, beat),
                    ignore_heartbeat,
                )
        finally:
            self._free.release()
