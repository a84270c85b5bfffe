"""The C library's memory, of which Python's large objects and all engines take theirs."""

from __future__ import annotations

import ctypes
from contextlib import suppress

# From glibc's malloc.h.
_M_ARENA_MAX = -8
# glibc gives up to eight a core to a process with threads, and each keeps what was freed in it:
# a process then grows with every thread that once had a large piece in hand.
ARENAS = 2


def limit_arenas() -> None:
    """Lets all threads share a few of malloc's arenas. Does nothing where there are none."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
