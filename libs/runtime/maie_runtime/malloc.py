"""The C library's memory, of which Python's large objects and all engines take theirs."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

# From glibc's malloc.h.
_M_ARENA_MAX = -8
# glibc gives up to eight a core to a process with threads, and each keeps what was freed in it:
# a process then grows with every thread that once had a large piece in hand.
ARENAS = 2
# How glibc's tunables are set; see its manual, "Memory Allocation Tunables".
TUNABLES = "GLIBC_TUNABLES"
THREAD_CACHES = "glibc.malloc.tcache_count"


def limit_arenas() -> None:
    """Lets all threads share a few of malloc's arenas. Does nothing where there are none."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def drop_thread_caches() -> None:
    """Starts this very process again without malloc's caches of single threads.

    With a cache for each of many threads, glibc spreads what is taken and freed over
    a heap that grows for hours; without, it stays as it is after some minutes. Only
    the environment of a process that starts can say so. Does nothing where the
    environment names the caches already, or where the C library is not glibc.
    """
    tunables = os.environ.get(TUNABLES, "")
    if THREAD_CACHES in tunables or "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return
    os.environ[TUNABLES] = ":".join(filter(None, (tunables, f"{THREAD_CACHES}=0")))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
