"""How much of the machine others took while something was measured."""

from __future__ import annotations

import os
import time

from psutil import NoSuchProcess, Process, cpu_times


class Others:
    """Counts the CPU time of everything but this process and those it started."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._at_start = _others_seconds()

    def share(self) -> float:
        """What others took since this was made, over all that the machine has, 0 to 1."""
        seconds = time.perf_counter() - self._started
        return max(0.0, _others_seconds() - self._at_start) / (seconds * (os.cpu_count() or 1))


def _others_seconds() -> float:
    all_times = cpu_times()
    busy = sum(all_times) - all_times.idle - all_times.iowait - all_times.guest
    return busy - _own_seconds()


def _own_seconds() -> float:
    total, this = 0.0, Process()
    for process in (this, *this.children(recursive=True)):
        try:
            # Those of children that have ended are among them.
            total += sum(process.cpu_times()[:4])
        except NoSuchProcess:
            continue
    return total
