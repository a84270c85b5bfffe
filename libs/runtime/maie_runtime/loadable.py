"""What a model must be able to do to share a GPU."""

from __future__ import annotations

from typing import Protocol


class Loadable(Protocol):
    """A model whose weights come into a GPU's memory and go out of it again.

    Nobody works with it while it loads or unloads. To load what is loaded, or to
    unload what is not, does nothing.
    """

    async def load(self) -> None:
        """Brings the weights in, the same that the service verified at its start.

        Raises:
            StageError: They cannot be loaded.
        """
        ...

    async def unload(self) -> None:
        """Frees the memory of the weights; returns when that is done.

        Work that was cancelled but still runs in a thread is waited for.
        """
        ...
