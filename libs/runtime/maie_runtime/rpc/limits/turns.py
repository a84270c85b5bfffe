"""Runs so many calls of one caller at a time; the others wait for their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

AT_A_TIME = 16


@dataclass(kw_only=True, slots=True)
class _Line:
    """The calls of one caller.

    Attributes:
        places: Those that may still begin.
        calls: How many run or wait.
    """

    places: asyncio.Semaphore
    calls: int = 0


@dataclass(kw_only=True, slots=True)
class Turns:
    """Queues calls by caller, so that a call of another one waits behind few of them.

    Attributes:
        at_a_time: How many calls of one caller run at a time.
    """

    at_a_time: int = AT_A_TIME
    _lines: dict[str, _Line] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Waits for a caller's turn, and has it while the context lasts."""
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = _Line(places=asyncio.Semaphore(self.at_a_time))
        line.calls += 1
        try:
            async with line.places:
                yield
        finally:
            line.calls -= 1
            if not line.calls:
                del self._lines[name]
