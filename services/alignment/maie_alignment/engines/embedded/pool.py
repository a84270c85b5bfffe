"""A pool of aligners, one for each slot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from maie_alignment.engines.embedded.decoder import SpokenWord
from maie_alignment.engines.embedded.fillers import SpokenFiller
from maie_alignment.engines.embedded.process import AlignerProcess

Found = TypeVar("Found")


class AlignerPool:
    """Lends aligners, and replaces those that die.

    Args:
        model: The model's directory.
        executor: Its threads wait for the aligners, one thread for each.
    """

    def __init__(self, model: Path, executor: ThreadPoolExecutor) -> None:
        self._model = model
        self._executor = executor
        self._idle: asyncio.Queue[AlignerProcess | None] = asyncio.Queue()
        self._running: set[AlignerProcess] = set()

    async def start(self, size: int) -> None:
        """Starts one aligner, so that a damaged model is known; the others start when needed.

        Raises:
            ModelUnreadableError: The model is damaged.
            AlignerDiedError: A process ended.
        """
        self._idle.put_nowait(
            await asyncio.get_running_loop().run_in_executor(self._executor, self._start)
        )
        for _ in range(size - 1):
            self._idle.put_nowait(None)

    def stop(self) -> None:
        """Ends all aligners."""
        for each in list(self._running):
            self._end(each)

    async def align(self, pcm: bytes, words: list[str]) -> list[SpokenWord] | None:
        """Aligns an utterance; cancelling it ends its process.

        Raises:
            AlignerDiedError: The process ended.
        """
        return await self._call(lambda aligner: aligner.align(pcm, words))

    async def fillers(self, pcm: bytes, words: list[str]) -> list[SpokenFiller] | None:
        """Finds fillers between words; cancelling it ends its process.

        Raises:
            AlignerDiedError: The process ended.
        """
        return await self._call(lambda aligner: aligner.fillers(pcm, words))

    async def _call(self, work: Callable[[AlignerProcess], Found]) -> Found:
        loop = asyncio.get_running_loop()
        aligner = await self._idle.get()
        kept = None
        try:
            if aligner is None:
                aligner = await loop.run_in_executor(self._executor, self._start)
            found = await loop.run_in_executor(self._executor, work, aligner)
            kept = aligner
            return found
        finally:
            if kept is None and aligner is not None:
                self._end(aligner)
            self._idle.put_nowait(kept)

    def _start(self) -> AlignerProcess:
        aligner = AlignerProcess(self._model)
        self._running.add(aligner)
        try:
            aligner.load()
        except BaseException:
            self._end(aligner)
            raise
        return aligner

    def _end(self, aligner: AlignerProcess) -> None:
        self._running.discard(aligner)
        aligner.kill()
