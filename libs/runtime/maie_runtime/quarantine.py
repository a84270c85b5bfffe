"""Keeps a unit that may kill its worker away from units that would die with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ClosedError(Exception):
    """A suspect runs or waits to run."""


class Quarantine:
    """Lets ordinary units run side by side and a suspect alone.

    A unit whose last worker died is a suspect: it, or one beside it, may have
    killed that worker. Run alone, it harms nobody but itself. Nothing is let
    in after a suspect, so that a busy worker does not keep it waiting for ever,
    and so that no unit waits in a worker that is about to be killed.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._ordinary = 0
        self._has_suspect = False

    async def opened(self) -> None:
        """Waits until no suspect runs or waits to run."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._has_suspect)

    @asynccontextmanager
    async def place(self, *, suspect: bool) -> AsyncIterator[None]:
        """Holds a unit's place while it runs; a suspect's once all others have ended.

        Raises:
            ClosedError: A suspect came before.
        """
        await (self._enter_alone() if suspect else self._enter())
        try:
            yield
        finally:
            # Not to be interrupted, or the place would be held for ever.
            await asyncio.shield(self._leave(suspect))

    async def _enter(self) -> None:
        async with self._changed:
            if self._has_suspect:
                raise ClosedError
            self._ordinary += 1

    async def _enter_alone(self) -> None:
        async with self._changed:
            if self._has_suspect:
                raise ClosedError
            self._has_suspect = True
            try:
                await self._changed.wait_for(lambda: not self._ordinary)
            except asyncio.CancelledError:
                self._has_suspect = False
                self._changed.notify_all()
                raise

    async def _leave(self, suspect: bool) -> None:
        async with self._changed:
            if suspect:
                self._has_suspect = False
            else:
                self._ordinary -= 1
            self._changed.notify_all()
