"""What stays in a GPU's memory: a model for good, or one of several in turn.

A mount enters `use` around each unit and each call, so no engine can forget it,
and a unit that asks its model several times has it from its first question to
its last. Nobody waits with a unit's clock running: `use` comes before it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Protocol

import structlog

from maie_runtime.bus.broker import Broker
from maie_runtime.memory import ModelMemory
from maie_runtime.residency_lease import GpuLease
from maie_runtime.residency_turns import SharedGpu
from maie_runtime.settings import GpuServiceSettings, ServiceSettings
from maie_runtime.stage import Stage

log = structlog.get_logger()


class Residency(Protocol):
    """How a service's model comes into memory and goes out of it again."""

    @property
    def memory(self) -> ModelMemory:
        """What comes of the models in memory."""
        ...

    @property
    def admits(self) -> bool:
        """Whether work may begin now; otherwise it waits in `use` for this service's turn."""
        ...

    def use(self) -> AbstractAsyncContextManager[None]:
        """Around work: waits for the service's turn, and has the model in memory.

        Raises:
            StageError: UNAVAILABLE with GPU_LOST where the GPU went to another
                service meanwhile; what loading the model raises.
        """
        ...

    def manage(self, stage: Stage[Any, Any]) -> None:
        """Takes over the models that the stage holds, loaded as they are.

        Raises:
            StageError: FAILED_PRECONDITION with GPU_NOT_SHAREABLE where one cannot be unloaded.
        """
        ...

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` each time that work is admitted again."""
        ...

    async def close(self) -> None:
        """Unloads what is not to stay, and takes no more turns."""
        ...


class Resident:
    """Models that stay in memory; costs nothing."""

    admits = True

    def __init__(self) -> None:
        self.memory = ModelMemory()

    def use(self) -> AbstractAsyncContextManager[None]:
        """Begins at once."""
        return nullcontext()

    def manage(self, stage: Stage[Any, Any]) -> None:
        """Leaves the stage's models where they are."""

    def listen(self, listener: Callable[[], None]) -> None:
        """Work is always admitted."""

    async def close(self) -> None:
        """Leaves everything to the stage's own end."""


@asynccontextmanager
async def open_residency(
    settings: ServiceSettings, broker: Broker, instance: str, abandon: Callable[[], None]
) -> AsyncIterator[Residency]:
    """The residency that the settings name; closed in the end.

    Args:
        settings: The service's settings.
        broker: Where the services of a GPU meet.
        instance: What the service is called in logs.
        abandon: Ends the process, whose model cannot be unloaded.
    """
    if not isinstance(settings, GpuServiceSettings) or settings.residency == "resident":
        yield Resident()
        return
    async with GpuLease(broker, settings.gpu, instance) as lease:
        shared = SharedGpu(lease, settings, abandon)
        shared.start()
        try:
            yield shared
        finally:
            await shared.close()
