"""A model without weights, which notes when it is in memory and who else is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from maie_runtime.bus.broker import Broker
from maie_runtime.gpu.lease import GpuLock
from maie_runtime.gpu.sharing import SharedGpu
from tests.empty_stages import EmptyStage, empty_stages
from tests.runtime.gpus import GPU
from tests.runtime.workers import settings_of


@dataclass(kw_only=True)
class Memory:
    """A GPU's memory, which has room for one model.

    Attributes:
        inside: The models in it, by name.
        history: What happened, such as "a loaded".
    """

    inside: set[str] = field(default_factory=set)
    history: list[str] = field(default_factory=list)

    def note(self, name: str, what: str) -> None:
        """Writes down what a model does."""
        self.history.append(f"{name} {what}")


@dataclass(kw_only=True)
class NotedModel:
    """A model without weights.

    Attributes:
        takes: How many seconds a load and an unload take.
        problem: What loading raises.
    """

    name: str
    memory: Memory
    takes: float = 0.02
    problem: Exception | None = None

    async def load(self) -> None:
        """Comes into memory."""
        await asyncio.sleep(self.takes)
        if self.problem:
            raise self.problem
        assert self.memory.inside <= {self.name}, "two models at once"
        self.memory.inside.add(self.name)
        self.memory.note(self.name, "loaded")

    async def unload(self) -> None:
        """Goes out of memory."""
        await asyncio.sleep(self.takes)
        self.memory.inside.discard(self.name)
        self.memory.note(self.name, "unloaded")


def modelled(stage: EmptyStage, model: NotedModel) -> EmptyStage:
    """The stage with a model, which must be in memory while it works."""
    stage.weights = model
    return stage


@asynccontextmanager
async def shared(
    broker: Broker,
    model: NotedModel,
    *,
    abandon: Callable[[], None] = lambda: None,
    **options: Any,
) -> AsyncIterator[SharedGpu]:
    """A service's share of the GPU; its start, with which the model comes into memory, is over."""
    chosen = {"residency": "shared-gpu", "gpu": GPU, "lease_seconds": 0.5, **options}
    stage = modelled(empty_stages()["asr"], model)
    async with GpuLock(broker, GPU, model.name) as lease:
        opened = SharedGpu(lease, settings_of(**chosen), abandon)
        opened.start()
        try:
            problem, model.problem = model.problem, None
            async with opened.use():
                await model.load()
                opened.manage(stage)
            model.problem = problem
            yield opened
        finally:
            await opened.close()


async def working(residency: SharedGpu, model: NotedModel) -> AsyncGenerator[int, None]:
    """Work as a stage does it: it goes on for ever, with its model in memory."""
    step = 0
    async with residency.use():
        while True:
            assert model.memory.inside == {model.name}
            yield step
            step += 1
            await asyncio.sleep(0.01)
