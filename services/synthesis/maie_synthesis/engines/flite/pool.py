"""A pool of processes with Flite, one for each slot."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maie_synthesis.engine import UnspeakableError
from maie_synthesis.engines.flite.process import (
    FliteError,
    FliteProcess,
    ProcessDiedError,
    Spoken,
)


class FlitePool:
    """Lends processes, and replaces those that die.

    Args:
        voices: As of `Flite`.
        executor: Its threads wait for the processes, one thread for each.
        seconds: The longest that a process may take for a piece.
    """

    def __init__(
        self, voices: tuple[str, ...], executor: ThreadPoolExecutor, seconds: float
    ) -> None:
        self._voices = voices
        self._executor = executor
        self._seconds = seconds
        self._idle: asyncio.Queue[FliteProcess] = asyncio.Queue()
        self._all: set[FliteProcess] = set()

    async def start(self, size: int) -> list[Path]:
        """Starts all processes at once and waits until they have their voices.

        Returns:
            The files of Flite.

        Raises:
            FliteError: A library is missing.
            ProcessDiedError: A process ended.
        """
        for _ in range(size):
            self._idle.put_nowait(self._made())
        loop = asyncio.get_running_loop()
        starts = [loop.run_in_executor(self._executor, each.start) for each in self._all]
        await asyncio.gather(*starts)
        return next(iter(self._all)).files

    @property
    def pids(self) -> list[int]:
        """The ids of the processes that run."""
        return [each.pid for each in self._all if each.pid is not None and each.alive]

    def stop(self) -> None:
        """Ends all processes."""
        for process in self._all:
            process.kill()
        for process in self._all:
            process.join()

    async def speak(self, text: bytes, voice: str, speed: float) -> Spoken:
        """Speaks a text in a process of its own; as `Flite.speak`.

        Raises:
            UnspeakableError: Flite cannot speak it, died of it, or took too long.
        """
        process = await self._idle.get()
        if not process.alive:
            process = self._replaced(process)
        loop = asyncio.get_running_loop()
        process.busy = True
        try:
            call = loop.run_in_executor(self._executor, process.speak, text, voice, speed)
            async with asyncio.timeout(self._seconds):
                spoken = await call
            process.busy = False
            return spoken
        except FliteError as error:
            process.busy = False
            raise UnspeakableError(str(error)) from error
        except ProcessDiedError as error:
            raise UnspeakableError("Flite ended while it spoke this.") from error
        except TimeoutError as error:
            message = f"Flite took longer than {self._seconds:g} s for this."
            raise UnspeakableError(message, too_slow=True) from error
        finally:
            # After a death, too long a time, or a cancellation.
            if process.busy:
                process.kill()
                process = self._replaced(process)
            self._idle.put_nowait(process)

    def _made(self) -> FliteProcess:
        process = FliteProcess(self._voices)
        self._all.add(process)
        return process

    def _replaced(self, dead: FliteProcess) -> FliteProcess:
        """A new process, which starts with its first text."""
        self._all.discard(dead)
        return self._made()
