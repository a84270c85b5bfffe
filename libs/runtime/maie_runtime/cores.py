"""How many cores this process may use: its affinity and the CPU quotas of its control groups."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MEMBERSHIP = Path("/proc/self/cgroup")
HIERARCHY = Path("/sys/fs/cgroup")


def usable_cores(membership: Path = MEMBERSHIP, hierarchy: Path = HIERARCHY) -> int:
    """The cores that this process can keep busy, at least 1.

    A part of a core counts as one, as in Go's runtime: with a quota of 1.5 cores, two threads
    use all of it and one does not.

    Args:
        membership: Which control groups the process is in, as `/proc/self/cgroup` has it.
        hierarchy: Where the control groups are mounted, version 2 or 1.
    """
    quotas = _quotas(membership, hierarchy)
    return max(1, math.ceil(min([_affinity(), *quotas])))


def share(cores: int, among: int, most: int) -> int:
    """The cores of each of several that share them: 1 to `most`."""
    return max(1, min(cores // among, most))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(membership: Path, hierarchy: Path) -> Iterator[float]:
    """The cores that each group around the process allows; nothing for groups without a limit."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return  # no Linux, or no /proc
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            mounts, read = (hierarchy, hierarchy / "unified"), _quota
        elif "cpu" in controllers.split(","):
            mounts, read = (hierarchy / "cpu", hierarchy / controllers), _quota_of_version_1
        else:
            continue
        for mount in mounts:
            for folder in _around(mount, group):
                if quota := read(folder):
                    yield quota


def _around(mount: Path, group: str) -> Iterator[Path]:
    """A group's folder and those of all groups around it, up to the mount itself.

    A container may see its own group as the mount while its membership has the host's path: what
    is not there has no limit.
    """
    inner = PurePosixPath(group.lstrip("/"))
    if ".." in inner.parts:  # outside of what is mounted here
        inner = PurePosixPath()
    for part in (inner, *inner.parents):
        yield mount / part


def _quota(folder: Path) -> float | None:
    match _words(folder / "cpu.max"):
        case [quota, period] if quota != "max":
            return int(quota) / int(period)
    return None


def _quota_of_version_1(folder: Path) -> float | None:
    quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
    if quota and period and int(quota[0]) > 0:  # -1 where there is no limit
        return int(quota[0]) / int(period[0])
    return None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
