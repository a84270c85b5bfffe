"""Runs a command that the kernel kills when its parent process ends.

Usage: python -I -S leash.py PARENT_PID COMMAND...

The supervisor cannot set this itself: between fork and exec, a process with
threads can run hardly any code safely. Linux only; elsewhere the command just
runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Ties this process to its parent and becomes the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent ended before the call
        sys.exit("The supervisor has ended.")
    os.execv(command[0], command)  # noqa: S606 - a list of our own, no shell


if __name__ == "__main__":
    main()
