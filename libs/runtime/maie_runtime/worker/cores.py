"""The cores that this process may use, by its affinity and its control groups' CPU quotas."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MEMBERSHIP = Path("/proc/self/cgroup")
HIERARCHY = Path("/sys/fs/cgroup")


def usable_cores(membership: Path = MEMBERSHIP, hierarchy: Path = HIERARCHY) -> int:
    """The number of cores that this process may use, at least 1.

    A fraction of a core counts as one, as in Go's runtime: with a quota of 1.5 cores, two threads
    use all of it, and one does not.

    Args:
        membership: The process's control groups, in the format of `/proc/self/cgroup`.
        hierarchy: The mount point of the control groups, version 2 or 1.
    """
    quotas = _quotas(membership, hierarchy)
    return max(1, math.ceil(min([_affinity(), *quotas])))


def share(cores: int, among: int, most: int) -> int:
    """The cores for each of several users: 1 to `most`."""
    return max(1, min(cores // among, most))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(membership: Path, hierarchy: Path) -> Iterator[float]:
    """The quota in cores of each control group of the process; none for groups without a limit."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return  # not Linux, or no /proc
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
    """A group's folder and those of its parents, up to the mount point.

    In a container, the mount may be its own group while its membership has the host's path:
    missing folders have no limit.
    """
    inner = PurePosixPath(group.lstrip("/"))
    if ".." in inner.parts:  # outside of this mount
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
