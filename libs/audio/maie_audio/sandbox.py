"""Confines a process that decodes untrusted audio. Runs in that process."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent: int | None = None) -> None:
    """Has the kernel kill this process once its parent ends (Linux only).

    The kernel takes the thread that started it for the parent. On other systems a process ends
    with what it reads or writes, unless it hangs.

    Args:
        parent: The parent's process id; this process ends now if that has ended.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def confine(memory_bytes: int) -> None:
    """Drops the rights of this process that decoding does not need.

    Args:
        memory_bytes: The limit on its address space.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Only standard input, output and error are open; nothing else can be opened.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def limit_cpu(seconds: int) -> None:
    """Limits the CPU time of this process as a whole.

    The soft limit sends SIGXCPU, which shows the cause; the hard one sends SIGKILL.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def allow_cpu(seconds: int) -> None:
    """Lets this process use so much CPU time from now on; SIGXCPU ends it after that."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
