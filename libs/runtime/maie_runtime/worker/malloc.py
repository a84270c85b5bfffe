"""Tunes the C library's allocator, which Python's large objects and all engines use."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from contextlib import suppress

# From glibc's malloc.h.
_M_ARENA_MAX = -8
# glibc creates up to eight arenas for each core, and each keeps its freed memory:
# a process then grows with every thread that once allocated a large piece.
ARENAS = 2
# What was given back is needed again soon, and costs about 20 ms of a core.
GIVE_BACK_SECONDS = 30.0
# The variable of glibc's tunables; see its manual, "Memory Allocation Tunables".
TUNABLES = "GLIBC_TUNABLES"
THREAD_CACHES = "glibc.malloc.tcache_count"


def limit_arenas() -> None:
    """Limits malloc's arenas. Does nothing on other C libraries."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


async def give_back_memory(seconds: float = GIVE_BACK_SECONDS) -> None:
    """Gives what malloc keeps of freed memory back to the system again and again.

    Engines need many large pieces for a moment, of other sizes for each length of audio. Between
    smaller ones that are still in use, their memory is never given back by malloc itself: while the
    pieces in use stay at 60 MB, a process that reads live speech with a small model goes from 180
    to 210 MB within 250 readings, and to 116 MB by this. Does nothing on other C libraries.

    Args:
        seconds: The time between two times.
    """
    with suppress(OSError, AttributeError):
        trim = ctypes.CDLL(None).malloc_trim
        while True:
            await asyncio.sleep(seconds)
            await asyncio.to_thread(trim, 0)


def drop_thread_caches() -> None:
    """Restarts this process without malloc's thread caches.

    With a cache for each of many threads, glibc's heap becomes fragmented and grows
    for hours; without them, it is stable after some minutes. Only the environment
    at the start of a process can set this. Does nothing if the
    environment sets the caches already, or if the C library is not glibc.
    """
    tunables = os.environ.get(TUNABLES, "")
    if THREAD_CACHES in tunables or "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return
    os.environ[TUNABLES] = ":".join(filter(None, (tunables, f"{THREAD_CACHES}=0")))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - a list of our own, no shell
