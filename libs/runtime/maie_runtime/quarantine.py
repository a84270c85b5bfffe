"""Keeps a unit that may kill its worker away from units that would die with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Quarantine:
    """Lets ordinary units run side by side and a suspect alone.

    A unit whose last worker died is a suspect: it, or one beside it, may have
    killed that worker. Run alone, it harms nobody but itself. Suspects go
    first, so that a busy worker does not keep them waiting for ever.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._ordinary = 0
        self._suspects = 0
        self._alone = False

    @asynccontextmanager
    async def place(self, *, suspect: bool) -> AsyncIterator[None]:
        """Waits until the unit may run, and holds its place while it does."""
        await (self._enter_alone() if suspect else self._enter())
        try:
            yield
        finally:
            # Not to be interrupted, or the place would be held for ever.
            await asyncio.shield(self._leave(suspect))

    async def _enter(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._suspects)
            self._ordinary += 1

    async def _enter_alone(self) -> None:
        async with self._changed:
            self._suspects += 1
            try:
                await self._changed.wait_for(lambda: not self._ordinary and not self._alone)
            except asyncio.CancelledError:
                self._suspects -= 1
                self._changed.notify_all()
                raise
            self._alone = True

    async def _leave(self, suspect: bool) -> None:
        async with self._changed:
            if suspect:
                self._alone = False
                self._suspects -= 1
            else:
                self._ordinary -= 1
            self._changed.notify_all()
