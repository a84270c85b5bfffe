"""What deploy/images puts into an image: members of the workspace, and binaries that still load."""

from __future__ import annotations

import importlib.util
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/images"
SERVICES = {
    "alignment",
    "asr",
    "diarization",
    "enhancement",
    "preprocess",
    "quality",
    "summary",
    "synthesis",
}


def _members(part: str) -> set[str]:
    found = runpy.run_path(str(FOLDER / "members.py"))["members"](part)
    return {str(folder.relative_to(ROOT)) for folder in found}


@pytest.mark.parametrize("part", sorted(SERVICES))
def test_a_stage_has_itself_and_no_other_part(part: str) -> None:
    found = _members(part)
    assert found >= {f"services/{part}", "libs/runtime", "libs/core", "libs/contracts"}
    assert not found & {f"services/{other}" for other in SERVICES - {part}}
    assert "gateway" not in found


def test_the_cli_has_no_other_part() -> None:
    found = _members("cli")
    assert found >= {"libs/cli", "libs/client", "libs/livekit"}
    assert not found & {"gateway", *(f"services/{each}" for each in SERVICES)}


def test_the_web_part_is_a_client_and_has_no_other_part() -> None:
    found = _members("web")
    assert found >= {"services/web", "libs/client", "libs/runtime"}
    assert not found & {"gateway", *(f"services/{each}" for each in SERVICES)}


def test_each_part_has_an_image_a_list_of_packages_and_a_line_in_the_readme() -> None:
    built = re.findall(r"parts=\((.*)\)", (FOLDER / "build.sh").read_text())[0].split()
    assert set(built) == SERVICES | {"gateway", "web", "cli"}
    table = (FOLDER / "README.md").read_text()
    for part in built:
        assert (ROOT / f"locks/maie-{part}.txt").is_file()
        assert f"`{part}`" in table


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


@pytest.fixture
def rootfs() -> dict[str, Any]:
    if missing := [name for name in ("strip", "ldd") if not shutil.which(name)]:
        pytest.skip(f"{', '.join(missing)} is missing")
    return runpy.run_path(str(FOLDER / "rootfs.py"))


@pytest.mark.parametrize("package", ["av", "ctranslate2"])
def test_packages_work_without_debugging_information(
    rootfs: dict[str, Any], tmp_path: Path, package: str
) -> None:
    source = _package(package)
    for folder in (source, source.with_name(f"{source.name}.libs")):
        shutil.copytree(folder, tmp_path / folder.name)
    binaries = list(rootfs["_binaries"](tmp_path))
    before = sum(each.stat().st_size for each in binaries)
    for binary in binaries:
        rootfs["_strip"](binary)
    assert sum(each.stat().st_size for each in binaries) < 0.9 * before
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {package} as it"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{code}; print(it.__file__)"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith(str(tmp_path)), done.stderr


def test_a_binary_that_strip_breaks_stays_as_it_was(rootfs: dict[str, Any], tmp_path: Path) -> None:
    breaking = tmp_path / "strip"
    breaking.write_text('#!/bin/sh\nhead -c 4096 "$4" >"$3"\n')
    breaking.chmod(0o755)
    rootfs["_strip"].__globals__["STRIP"] = str(breaking)
    source = _package("av") / "error.abi3.so"
    binary = tmp_path / source.name
    shutil.copy2(source, binary)
    rootfs["_strip"](binary)
    assert binary.read_bytes() == source.read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted([breaking, binary])
