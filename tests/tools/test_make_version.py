"""`make version` itself, in a copy of the repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.version import ROOT, version

pytestmark = pytest.mark.unit

ONE, OTHER = "31.41.59", "27.18.28"
# What the target installs is this environment, which stays as it is.
STAMPS = (".uv", ".locked", ".members")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """All files of the repository, as they are here."""
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.split("\0")[:-1]:
        source, target = ROOT / name, tmp_path / "copy" / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return tmp_path / "copy"


@pytest.fixture
def binaries(tmp_path: Path) -> Path:
    """A folder of programs in which Python is this one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -B "$@"\n')
    (folder / "python").chmod(0o755)
    return folder


def content(copy: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(copy): path.read_bytes()
        for path in copy.rglob("*")
        if path.is_file() and ".cache" not in path.parts
    }


def make_version(copy: Path, binaries: Path, number: str) -> None:
    for name in STAMPS:
        (binaries / name).touch()
    command = ("make", "version", f"VERSION={number}", f"BIN={binaries}", "UV=:")
    done = subprocess.run(command, cwd=copy, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_version_reaches_all_copies_and_nothing_else(copy: Path, binaries: Path) -> None:
    before = content(copy)
    make_version(copy, binaries, ONE)
    first = content(copy)
    changed = [path for path, data in first.items() if data != before[path]]
    files = {"VERSION", "helm/maie/Chart.yaml", "tests/helm/golden/cpu-only.yaml"}
    assert files < {str(path) for path in changed}
    make_version(copy, binaries, OTHER)
    second = content(copy)
    assert [path for path in changed if ONE.encode() in second[path]] == []
    make_version(copy, binaries, version())
    assert content(copy) == before
