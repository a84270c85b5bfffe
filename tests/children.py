"""Processes that a process has started."""

from __future__ import annotations

from contextlib import suppress

import psutil


def children(named: str, parent: psutil.Process | None = None) -> list[psutil.Process]:
    """The running children of a process, by default this one, whose command lines hold a text."""
    found = []
    # Any may end meanwhile, or may have ended without that its parent has asked for its status.
    with suppress(psutil.NoSuchProcess):
        for child in (parent or psutil.Process()).children():
            with suppress(psutil.NoSuchProcess):
                if named in " ".join(child.cmdline()):
                    found.append(child)
    return found


def forked(module: str) -> list[psutil.Process]:
    """The running processes that the fork servers of a module have forked for this process."""
    return [process for server in children(module) for process in children(module, server)]


def zombies() -> list[psutil.Process]:
    """The children of this process that have ended without that it has asked for their status."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if child.status() == psutil.STATUS_ZOMBIE:
                found.append(child)
    return found
