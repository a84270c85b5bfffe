"""A pool of decoders, one for each slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from maie_asr.engines.pocketsphinx.decoder import DecodedWord
from maie_asr.engines.pocketsphinx.process import DecoderProcess

Decode = Callable[[bytes], Awaitable[list[DecodedWord]]]


class DecoderPool:
    """Lends decoders and replaces those that die.

    Args:
        model: The model's directory.
        executor: Its threads wait for the decoders, one thread for each.
    """

    def __init__(self, model: Path, executor: ThreadPoolExecutor) -> None:
        self._model = model
        self._executor = executor
        self._idle: asyncio.Queue[DecoderProcess] = asyncio.Queue()
        self._decoders: set[DecoderProcess] = set()

    async def start(self, size: int) -> None:
        """Starts all decoders at once and waits until their models are loaded.

        Raises:
            ModelUnreadableError: The model is damaged.
            DecoderDiedError: A process ended.
        """
        for _ in range(size):
            self._add()
        loop = asyncio.get_running_loop()
        starts = [loop.run_in_executor(self._executor, each.start) for each in self._decoders]
        await asyncio.gather(*starts)

    def stop(self) -> None:
        """Ends all decoders."""
        for decoder in self._decoders:
            decoder.kill()
        for decoder in self._decoders:
            decoder.join()

    @asynccontextmanager
    async def decoder(self) -> AsyncIterator[Decode]:
        """Lends a decoder; one that is still busy afterwards is killed and replaced."""
        decoder = await self._idle.get()
        if not decoder.alive:
            decoder = self._replacement(decoder)

        async def decode(pcm: bytes) -> list[DecodedWord]:
            decoder.busy = True
            loop = asyncio.get_running_loop()
            words = await loop.run_in_executor(self._executor, decoder.decode, pcm)
            decoder.busy = False
            return words

        try:
            yield decode
        finally:
            if decoder.busy:
                decoder.kill()
                decoder = self._replacement(decoder)
            self._idle.put_nowait(decoder)

    def _add(self) -> None:
        decoder = DecoderProcess(self._model)
        self._decoders.add(decoder)
        self._idle.put_nowait(decoder)

    def _replacement(self, dead: DecoderProcess) -> DecoderProcess:
        """A new decoder, whose process starts with its first utterance."""
        decoder = DecoderProcess(self._model)
        self._decoders.discard(dead)
        self._decoders.add(decoder)
        return decoder
