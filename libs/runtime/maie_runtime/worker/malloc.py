"""Tunes the C library's allocator, which Python's large objects and all engines use."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

# From glibc's malloc.h.
_M_ARENA_MAX = -8
# glibc creates up to eight arenas for each core, and each keeps its freed memory:
# a process then grows with every thread that once allocated a large piece.
ARENAS = 2
# The variable of glibc's tunables; see its manual, "Memory Allocation Tunables".
TUNABLES = "GLIBC_TUNABLES"
THREAD_CACHES = "glibc.malloc.tcache_count"


def limit_arenas() -> None:
    """Limits malloc's arenas. Does nothing on other C libraries."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


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
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
