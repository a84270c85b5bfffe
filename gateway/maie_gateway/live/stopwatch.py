"""Adds up the time that something takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Counts while it runs.

    Attributes:
        since: When it began to run, by the monotonic clock; None while it does not.
    """

    def __init__(self) -> None:
        self.since: float | None = None
        self._seconds = 0.0

    @property
    def seconds(self) -> float:
        """How long it has run, without the context that runs now."""
        return self._seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts the time of the context."""
        self.since = begun = time.monotonic()
        try:
            yield
        finally:
            self.since = None
            self._seconds += time.monotonic() - begun
