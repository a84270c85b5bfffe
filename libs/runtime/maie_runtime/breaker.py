"""A circuit breaker for each server."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# The most servers with recent failures; the oldest entry is dropped first.
MAX_REMEMBERED = 10_000


@dataclass(slots=True)
class _Trouble:
    """The state of a failed server: its failures in a row, and the pause's end."""

    failures: int = 0
    open_until: float = 0.0
    probing: bool = False


class CircuitBreaker:
    """Counts each server's failures in a row; keeps no state of healthy servers.

    Closed: all calls pass. Open, after `threshold` failures in a row: none for
    `pause` seconds. Half-open, after that: one passes, and its outcome closes the
    breaker or opens it again.
    """

    def __init__(
        self, *, threshold: int, pause: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._pause = pause
        self._clock = clock
        self._troubles: OrderedDict[str, _Trouble] = OrderedDict()

    def enter(self, server: str) -> float:
        """Asks whether a call may pass; if so, the caller must report its outcome.

        Returns:
            0 if it may pass; else the seconds after which to ask again.
        """
        trouble = self._troubles.get(server)
        if trouble is None or trouble.failures < self._threshold:
            return 0.0
        if (left := trouble.open_until - self._clock()) > 0:
            return left
        if trouble.probing:
            return self._pause
        trouble.probing = True
        return 0.0

    def succeeded(self, server: str) -> None:
        """Reports that the server answered."""
        self._troubles.pop(server, None)

    def failed(self, server: str) -> bool:
        """Reports that the server did not answer, or reported an error.

        Returns:
            Whether this opened the breaker.
        """
        trouble = self._troubles.setdefault(server, _Trouble())
        self._troubles.move_to_end(server)
        if len(self._troubles) > MAX_REMEMBERED:
            self._troubles.popitem(last=False)
        trouble.failures += 1
        opened = trouble.failures == self._threshold or trouble.probing
        if opened:
            trouble.open_until = self._clock() + self._pause
        trouble.probing = False
        return opened

    def abandoned(self, server: str) -> None:
        """Reports that the call ended without an outcome of the server."""
        if trouble := self._troubles.get(server):
            trouble.probing = False
