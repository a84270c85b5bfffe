"""Runs a unit that may kill its worker alone, so that no other unit dies with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ClosedError(Exception):
    """A suspect runs or waits to run."""


class Quarantine:
    """Runs ordinary units concurrently and a suspect alone.

    A unit whose last worker died is a suspect: it, or a concurrent one, may have
    killed that worker. Alone, it cannot harm other units. No unit is admitted
    after a suspect, so that it does not wait forever in a busy worker,
    and so that no unit waits in a worker that may be killed soon.
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
        """Admits a unit for the time of its run; a suspect after all others have ended.

        Raises:
            ClosedError: A suspect runs or waits to run.
        """
        await (self._enter_alone() if suspect else self._enter())
        try:
            yield
        finally:
            # Must not be interrupted, or the place would never be released.
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
