"""Which tests run for which `-m`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
TESTS = """
import pytest

@pytest.mark.unit
@pytest.mark.gpu
def test_gpu(): pass

@pytest.mark.unit
@pytest.mark.slow
def test_slow(): pass

@pytest.mark.unit
def test_other(): pass
"""
# In one process, which imports once what the tests share.
COLLECT = """
import json, pytest, sys

class Chosen:
    def pytest_collection_finish(self, session):
        chosen.append([item.name for item in session.items])

chosen = []
for expression in json.loads(sys.argv[1]):
    options = ["--collect-only", "-p", "tests.conftest", "-c", "pyproject.toml", "-m", expression]
    pytest.main([*options, sys.argv[2]], plugins=[Chosen()])
print()
print(json.dumps(chosen))
"""
CHOSEN = {
    "": ["test_other"],
    "unit": ["test_other"],
    "not mesh": ["test_other"],
    "gpu": ["test_gpu"],
    "unit and gpu": ["test_gpu"],
    "slow": ["test_slow"],
    "unit and slow": ["test_slow"],
    "slow or not slow": ["test_slow", "test_other"],
    "gpu or not gpu": ["test_gpu", "test_other"],
}


def test_what_needs_a_gpu_or_takes_long_runs_only_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_marked.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, json.dumps(list(CHOSEN)), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == list(CHOSEN.values()), done.stdout
