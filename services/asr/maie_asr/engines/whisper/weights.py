"""Loads and unloads the weights of a Whisper model."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maie_core.models import file_states, model_corrupt

# CTranslate2 is busy for a moment after it returns, and does not unload then.
AGAIN_SECONDS = 0.02


class WhisperWeights:
    """Loads and unloads a network while no thread uses it.

    CTranslate2 itself silently does not unload while a thread computes.

    Args:
        network: The `ctranslate2.models.Whisper`, loaded.
        files: Its files. They are verified, and must not change.
        executor: Where it is loaded and unloaded.
    """

    def __init__(self, network: Any, files: Sequence[Path], executor: Executor) -> None:
        self._network = network
        self._files = files
        self._verified = file_states(files)
        self._executor = executor
        self._changed = threading.Condition()
        self._readers = 0
        self._loaded = True

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keeps the network loaded while a thread uses it.

        Raises:
            RuntimeError: The weights are not in memory.
        """
        with self._changed:
            if not self._loaded:
                raise RuntimeError("the model is not loaded")
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    async def load(self) -> None:
        """Reads the weights from disk again.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_CORRUPT if a file has changed.
            RuntimeError: CTranslate2 could not load them.
        """
        await asyncio.get_running_loop().run_in_executor(self._executor, self._load)

    async def unload(self) -> None:
        """Waits for the threads that use the network, and frees the memory."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._unload)

    def _load(self) -> None:
        if file_states(self._files) != self._verified:
            raise model_corrupt(
                f"The Whisper model in {self._files[0].parent} was changed after the service had "
                "verified it; start the service again."
            )
        self._network.load_model()
        with self._changed:
            self._loaded = True

    def _unload(self) -> None:
        with self._changed:
            # From now on `reading` raises.
            self._loaded = False
            self._changed.wait_for(lambda: not self._readers)
        self._network.unload_model()
        while self._network.model_is_loaded:
            time.sleep(AGAIN_SECONDS)
            self._network.unload_model()
