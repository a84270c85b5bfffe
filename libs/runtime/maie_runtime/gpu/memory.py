"""Measures the memory in use of this service and of its visible GPUs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog

from maie.event.v1 import event_pb2 as event

log = structlog.get_logger()

_PROCESSES = Path("/proc")


def memory_in_use() -> dict[str, int]:
    """Bytes in use, by kind. May take a moment.

    `rss_bytes` is the main memory of this process and its child processes,
    on Linux. `gpu_bytes` is the memory that all processes together use on the GPUs
    that NVIDIA's library (nvidia-ml-py) reports; it is missing without a
    GPU or the library.
    """
    found = {}
    with suppress(OSError):
        found["rss_bytes"] = _resident_pages(os.getpid()) * os.sysconf("SC_PAGE_SIZE")
    with suppress(ImportError):
        nvml: Any = import_module("pynvml")
        with suppress(nvml.NVMLError):
            found["gpu_bytes"] = _gpu_bytes(nvml)
    return found


def _resident_pages(process: int) -> int:
    folder = _PROCESSES / str(process)
    pages = int((folder / "statm").read_text().split()[1])
    for thread in (folder / "task").iterdir():
        # Threads and processes may end meanwhile.
        with suppress(OSError):
            for child in (thread / "children").read_text().split():
                with suppress(OSError):
                    pages += _resident_pages(int(child))
    return pages


class ModelMemory:
    """Logs and counts loads and unloads of a service's models."""

    def __init__(self) -> None:
        self._loaded = False
        self._loads = 0
        self._seconds = 0.0

    @property
    def loaded(self) -> bool:
        """Whether the model is loaded."""
        return self._loaded

    @property
    def loads(self) -> int:
        """How often it was loaded."""
        return self._loads

    @property
    def seconds(self) -> float:
        """How long loading and unloading it took, in all."""
        return self._seconds

    @asynccontextmanager
    async def loading(self, **fields: Any) -> AsyncIterator[None]:
        """Logs the memory before and after a load, and `fields`."""
        async with self._logged("model.loaded", fields):
            yield
        self._loaded = True
        self._loads += 1

    @asynccontextmanager
    async def unloading(self, **fields: Any) -> AsyncIterator[None]:
        """Logs the memory before and after an unload, and `fields`."""
        async with self._logged("model.unloaded", fields):
            yield
        self._loaded = False

    @asynccontextmanager
    async def _logged(self, event_name: str, fields: dict[str, Any]) -> AsyncIterator[None]:
        began, before = time.monotonic(), await asyncio.to_thread(memory_in_use)
        try:
            yield
        finally:
            seconds = time.monotonic() - began
            self._seconds += seconds
        after = await asyncio.to_thread(memory_in_use)
        log.info(event_name, **fields, seconds=round(seconds, 3), before=before, after=after)

    async def report(self, shared_gpu: str) -> event.WorkerMemory:
        """The memory in use now, for GetMesh.

        Args:
            shared_gpu: The name of the service's shared GPU; empty for none.
        """
        memory = event.WorkerMemory(shared_gpu=shared_gpu, loaded=self._loaded, loads=self._loads)
        for name, size in (await asyncio.to_thread(memory_in_use)).items():
            setattr(memory, name, size)
        memory.moving_duration.FromNanoseconds(int(self._seconds * 1e9))
        return memory


def _gpu_bytes(nvml: Any) -> int:
    nvml.nvmlInit()
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        return sum(int(nvml.nvmlDeviceGetMemoryInfo(handle).used) for handle in handles)
    finally:
        nvml.nvmlShutdown()
