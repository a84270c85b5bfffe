"""Where the files of tests are: in memory, where there is enough of it."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

# A tmpfs on every Linux, though in a container it may be small or may run no programs.
MEMORY = Path("/dev/shm")
# A run of all tests holds less than a tenth of that at any time.
ENOUGH_BYTES = 8 * 1024**3
# Where pytest looks for the folder of its `tmp_path`.
VARIABLE = "PYTEST_DEBUG_TEMPROOT"


def keep_files_in_memory() -> None:
    """Lets `tmp_path` be in memory, unless a person chose a place.

    Servers of tests write and sync thousands of small files, which on a disk takes as much time of
    the processors as all else that NATS does. What a killed process has written outlives it in
    either place.
    """
    if VARIABLE not in os.environ and _is_enough(MEMORY):
        os.environ[VARIABLE] = str(MEMORY)


def _is_enough(folder: Path) -> bool:
    """Whether a folder in memory has room for all tests, and runs programs."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    free = min(found.f_bavail * found.f_frsize, psutil.virtual_memory().available)
    return free >= ENOUGH_BYTES and not found.f_flag & os.ST_NOEXEC
