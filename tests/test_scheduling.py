"""Which tests run in one process where several processes run tests."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.scheduling import SHARED_MESHES
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
FILES = ("test_one.py", "test_two.py", "test_three.py", "test_four.py")
SHARED_MESH = SHARED_MESHES[0]
SHARED = (f"{SHARED_MESH}test_first.py", f"{SHARED_MESH}test_second.py")
TESTS = """
import os, pathlib

import pytest

@pytest.mark.parametrize("number", range(9))
def test_it(number):
    pathlib.Path(__file__).with_suffix(f".{number}").write_text(str(os.getpid()))
"""


def test_the_tests_of_a_file_and_of_the_shared_mesh_share_a_process(tmp_path: Path) -> None:
    (tmp_path / SHARED_MESH).mkdir(parents=True)
    for name in (*FILES, *SHARED):
        (tmp_path / name).write_text(TESTS)
    options = ["-p", "tests.scheduling", "-n", "3", "--rootdir", str(tmp_path)]
    config = ["--import-mode", "importlib", "-c", str(tmp_path / "pytest.ini")]
    # In the shared place, the inner session would first remove what earlier sessions left there.
    config += ["--basetemp", str(tmp_path / "temporary")]
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *config, str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    processes = defaultdict(set)
    for written in tmp_path.rglob("test_*.[0-9]"):
        processes[written.stem].add(written.read_text())
    assert len(processes) == len(FILES) + len(SHARED)
    assert all(len(found) == 1 for found in processes.values())
    assert processes["test_first"] == processes["test_second"]
    assert len(set.union(*processes.values())) > 1
