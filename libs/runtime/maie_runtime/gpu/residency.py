"""Keeps a model in a GPU's memory permanently, or only during leases of a shared GPU.

The host enters `use` around each unit and each call, so no engine can forget it,
and a unit that uses its model several times keeps it loaded throughout.
The unit's deadline starts after `use`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Protocol

import structlog

from maie_core.settings import GpuServiceSettings, ServiceSettings
from maie_runtime.bus.broker import Broker
from maie_runtime.gpu.lease import GpuLock
from maie_runtime.gpu.memory import ModelMemory
from maie_runtime.gpu.sharing import SharedGpu
from maie_runtime.worker.stage import Stage

log = structlog.get_logger()


class Residency(Protocol):
    """Loads and unloads a service's model."""

    @property
    def memory(self) -> ModelMemory:
        """Logs loads and unloads of the model."""
        ...

    @property
    def admits(self) -> bool:
        """Whether work may begin now; otherwise it waits in `use` for a lease."""
        ...

    def use(self) -> AbstractAsyncContextManager[None]:
        """Waits for a lease and loads the model, for the work in the context.

        Raises:
            StageError: UNAVAILABLE with GPU_LOST if the lease was lost
                meanwhile; others from loading the model.
        """
        ...

    def manage(self, stage: Stage[Any, Any]) -> None:
        """Takes over the stage's loaded model.

        Raises:
            StageError: FAILED_PRECONDITION with GPU_NOT_SHAREABLE if it cannot be unloaded.
        """
        ...

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` each time that work is admitted again."""
        ...

    async def close(self) -> None:
        """Unloads a model that shares its GPU, and releases the lease."""
        ...


class Resident:
    """A model that stays in memory."""

    admits = True

    def __init__(self) -> None:
        self.memory = ModelMemory()

    def use(self) -> AbstractAsyncContextManager[None]:
        """Admits work at once."""
        return nullcontext()

    def manage(self, stage: Stage[Any, Any]) -> None:
        """Leaves the model loaded."""

    def listen(self, listener: Callable[[], None]) -> None:
        """Work is always admitted."""

    async def close(self) -> None:
        """Leaves the model to the stage."""


@asynccontextmanager
async def open_residency(
    settings: ServiceSettings, broker: Broker, instance: str, abandon: Callable[[], None]
) -> AsyncIterator[Residency]:
    """The residency that the settings select.

    Args:
        settings: The service's settings.
        broker: The broker of all services that share the GPU.
        instance: The service's name in logs.
        abandon: Ends the process, if its model cannot be unloaded.
    """
    if not isinstance(settings, GpuServiceSettings) or settings.residency == "resident":
        yield Resident()
        return
    async with GpuLock(broker, settings.gpu, instance) as lock:
        shared = SharedGpu(lock, settings, abandon)
        shared.start()
        try:
            yield shared
        finally:
            await shared.close()
