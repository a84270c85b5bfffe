"""How many cores a process may use, by affinity and by the quotas of control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maie_runtime.worker.cores import share, usable_cores

pytestmark = pytest.mark.unit

MANY = set(range(16))


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the affinity of the machine under test have no say."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: MANY, raising=False)


def _write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "fs"


def _cores(root: Path, membership: str, files: dict[str, str]) -> int:
    hierarchy = _write(root, files)
    cgroup = root / "cgroup"
    cgroup.write_text(membership)
    return usable_cores(cgroup, hierarchy)


@pytest.mark.parametrize(
    ("limit", "cores"),
    [("max 100000", 16), ("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1)],
)
def test_a_quota_of_version_2(tmp_path: Path, limit: str, cores: int) -> None:
    assert _cores(tmp_path, "0::/a/b\n", {"a/b/cpu.max": limit}) == cores


def test_the_tightest_group_around_the_process_counts(tmp_path: Path) -> None:
    files = {"pod/cpu.max": "300000 100000", "pod/it/cpu.max": "max 100000"}
    assert _cores(tmp_path, "0::/pod/it\n", files) == 3


def test_a_container_that_sees_its_own_group_as_the_mount(tmp_path: Path) -> None:
    files = {"cpu.max": "400000 100000"}
    assert _cores(tmp_path, "0::/\n", files) == 4
    assert _cores(tmp_path, "0::/../outside\n", files) == 4


@pytest.mark.parametrize(("quota", "cores"), [("-1", 16), ("250000", 3)])
@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_a_quota_of_version_1(tmp_path: Path, quota: str, cores: int, mount: str) -> None:
    files = {
        f"{mount}/docker/x/cpu.cfs_quota_us": quota,
        f"{mount}/docker/x/cpu.cfs_period_us": "100000",
    }
    membership = "4:memory:/docker/x\n1:cpu,cpuacct:/docker/x\n0::/\n"
    assert _cores(tmp_path, membership, files) == cores


def test_both_versions_side_by_side(tmp_path: Path) -> None:
    files = {
        "cpu/x/cpu.cfs_quota_us": "800000",
        "cpu/x/cpu.cfs_period_us": "100000",
        "unified/x/cpu.max": "500000 100000",
    }
    assert _cores(tmp_path, "1:cpu:/x\n0::/x\n", files) == 5


def test_the_affinity_counts_where_it_is_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5}, raising=False)
    assert _cores(tmp_path, "0::/x\n", {"x/cpu.max": "900000 100000"}) == 2


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "none", tmp_path) == 16


@pytest.mark.parametrize(
    ("slots", "cores", "threads"), [(1, 2, 2), (2, 2, 1), (4, 2, 1), (1, 32, 4), (3, 8, 2)]
)
def test_cores_are_shared_among_slots(slots: int, cores: int, threads: int) -> None:
    assert share(cores, slots, most=4) == threads
