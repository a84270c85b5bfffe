"""A model that one thread uses at a time, and that can be unloaded to share a GPU."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from maie_core.models import file_states, model_corrupt

ModelT = TypeVar("ModelT")

# How long a call waits for another one between two heartbeats.
_WAIT_SECONDS: Final = 1.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Source(Generic[ModelT]):
    """Where a model comes from, and where its memory goes.

    Attributes:
        files: The model's files. They are verified, and must not change.
        read: Loads the model from them. Blocks.
        release: Gives the memory of models that nobody holds any more back. Blocks.
    """

    files: Sequence[Path]
    read: Callable[[], ModelT]
    release: Callable[[], None]


class Weights(Generic[ModelT]):
    """See `Loadable`. The model is loaded when this is made, which blocks.

    Args:
        source: The model.
        executor: Where it is loaded and unloaded later.
    """

    def __init__(self, source: Source[ModelT], executor: Executor) -> None:
        self._source = source
        self._executor = executor
        self._verified = file_states(source.files)
        self._using = threading.Lock()
        self._model: ModelT | None = source.read()

    @contextmanager
    def using(self, heartbeat: Callable[[], None]) -> Iterator[ModelT]:
        """Waits for the model, and keeps it for the thread in the context.

        Args:
            heartbeat: Called every second of waiting; what it raises ends the wait.

        Raises:
            RuntimeError: The model is not loaded.
        """
        while not self._using.acquire(timeout=_WAIT_SECONDS):
            heartbeat()
        try:
            if self._model is None:
                raise RuntimeError("the model is not loaded")
            yield self._model
        finally:
            self._using.release()

    async def load(self) -> None:
        """Reads the model from disk again.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_CORRUPT if a file has changed.
        """
        await asyncio.get_running_loop().run_in_executor(self._executor, self._load)

    async def unload(self) -> None:
        """Waits for the thread that uses the model, and frees its memory."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._unload)

    def _load(self) -> None:
        with self._using:
            if self._model is not None:
                return
            if file_states(self._source.files) != self._verified:
                raise model_corrupt(
                    f"The model in {self._source.files[0].parent} was changed after the service "
                    "had verified it; start the service again."
                )
            self._model = self._source.read()

    def _unload(self) -> None:
        with self._using:
            self._model = None
            self._source.release()
