"""The interface of a model that can share a GPU."""

from __future__ import annotations

from typing import Protocol


class Loadable(Protocol):
    """A model whose weights can be loaded into a GPU's memory and unloaded.

    No work uses it while it loads or unloads. Loading a loaded model, or
    unloading an unloaded one, does nothing.
    """

    async def load(self) -> None:
        """Loads the weights, the same that the service verified at its start.

        Raises:
            StageError: They cannot be loaded.
        """
        ...

    async def unload(self) -> None:
        """Frees the memory of the weights; returns when it is free.

        Waits for cancelled work that still runs in a thread.
        """
        ...
