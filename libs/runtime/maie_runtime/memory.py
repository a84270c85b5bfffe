"""How much memory is in use, of this service and of the GPUs that it sees."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()

_PROCESSES = Path("/proc")


def memory_in_use() -> dict[str, int]:
    """Bytes in use, by what was measured, for a log line.

    `rss_bytes` is the main memory of this process and of those that it started,
    on Linux. `gpu_bytes` is what all processes together use of the GPUs that
    NVIDIA's library (nvidia-ml-py) shows here; it is missing where there is no
    GPU or no such library.
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
        # Threads and processes come and go.
        with suppress(OSError):
            for child in (thread / "children").read_text().split():
                with suppress(OSError):
                    pages += _resident_pages(int(child))
    return pages


@contextmanager
def memory_logged(event: str, **fields: Any) -> Iterator[None]:
    """Logs how long a block took, and the memory before and after it; nothing where it raises.

    Args:
        event: What the block does, in the past tense: "model.loaded".
        fields: What else the line says.
    """
    began, before = time.monotonic(), memory_in_use()
    yield
    seconds = round(time.monotonic() - began, 3)
    log.info(event, **fields, seconds=seconds, before=before, after=memory_in_use())


def _gpu_bytes(nvml: Any) -> int:
    nvml.nvmlInit()
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        return sum(int(nvml.nvmlDeviceGetMemoryInfo(handle).used) for handle in handles)
    finally:
        nvml.nvmlShutdown()
