"""Finds readings that do not return, since their worker would never read again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

# How many looks there are in the longest reading. Looks are counted, and not seconds: a process
# that was frozen has made none meanwhile.
LOOKS = 10
# A reading may take so many times as long as the slowest of those that warm the engine up: an
# utterance may be thirty times as long as theirs.
WARM_UP_FACTOR = 30.0

Blame = Callable[[StageError], None]


class _Reading:
    """A reading that runs."""

    def __init__(self, blame: Blame) -> None:
        self.blame = blame
        self.looks = 0


class StallWatch:
    """Watches all readings of a service.

    Args:
        limit_seconds: The longest time that a reading may take.

    Attributes:
        limit_seconds: As given, or more where the engine is slow.
    """

    def __init__(self, limit_seconds: float) -> None:
        self.limit_seconds = limit_seconds
        self._readings: set[_Reading] = set()

    def allow_for(self, warm_up_seconds: float) -> None:
        """Takes into account how long the slowest of the first readings took."""
        self.limit_seconds = max(self.limit_seconds, WARM_UP_FACTOR * warm_up_seconds)

    @contextmanager
    def reading(self, blame: Blame) -> Iterator[None]:
        """Watches a reading during the context.

        Args:
            blame: Gets the error, if it does not return.
        """
        running = _Reading(blame)
        self._readings.add(running)
        try:
            yield
        finally:
            self._readings.discard(running)

    async def watch(self) -> None:
        """Waits as long as every reading returns.

        Raises:
            StageError: DEADLINE_EXCEEDED with STALLED: one does not; it was blamed.
        """
        while True:
            await asyncio.sleep(self.limit_seconds / LOOKS)
            for running in self._readings:
                running.looks += 1
            # The first look may have come right after the reading began.
            stalled = [running for running in self._readings if running.looks > LOOKS]
            for running in stalled:
                running.blame(self._error())
            if stalled:
                raise self._error()

    def _error(self) -> StageError:
        return StageError(
            Code.DEADLINE_EXCEEDED,
            Reason.STALLED,
            f"The engine did not finish a reading within {self.limit_seconds:g} s; the worker's "
            "log may say why.",
        )
