"""What processes take while something is measured: processor time by thread, memory over time."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bench.growth import Series
from bench.sampling import own_memory
from maie_runtime.background import background_tasks

SAMPLE_SECONDS = 2.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MAIN = "main thread"
# A pool's threads are counted together. The kernel may cut the number off.
_NUMBER = re.compile(r"[-_]?\d*$")


def thread_seconds(pid: int) -> dict[str, float]:
    """The processor time of a process's threads, in seconds, by name without number."""
    found: dict[str, float] = defaultdict(float)
    for folder in Path(f"/proc/{pid}/task").iterdir():
        try:
            before, _, after = (folder / "stat").read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        name = _NUMBER.sub("", before.partition("(")[2])
        user, system = after.split()[11:13]
        found[MAIN if folder.name == str(pid) else name] += (
            int(user) + int(system)
        ) / TICKS_PER_SECOND
    return found


def peak_bytes(pid: int | None) -> int:
    """The most memory that a process has had resident (VmHWM of Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024
    raise RuntimeError("The peak memory of a process is read from /proc, which Linux has.")


@asynccontextmanager
async def watched_memory(pids: Mapping[str, int]) -> AsyncIterator[dict[str, Series]]:
    """Yields the memory of each process that is no file's, which is sampled during the context."""
    series = {name: Series(name=name, what="own memory", unit="MB") for name in pids}
    started = time.monotonic()

    async def sample() -> None:
        while True:
            for name, pid in pids.items():
                series[name].add(time.monotonic() - started, own_memory(pid))
            await asyncio.sleep(SAMPLE_SECONDS)

    async with background_tasks(sample()):
        yield series
