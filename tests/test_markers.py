"""Which tests run for which `-m`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
WITH_A_GPU_TEST = "tests/runtime/test_memory.py"


@pytest.mark.parametrize(
    ("expression", "runs"),
    [("", False), ("unit", False), ("not mesh", False), ("gpu", True), ("unit and gpu", True)],
)
def test_what_needs_a_gpu_runs_only_where_it_is_named(expression: str, runs: bool) -> None:
    chosen = ["-m", expression] if expression else []
    command = [sys.executable, "-m", "pytest", "--collect-only", *chosen, WITH_A_GPU_TEST]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert ("test_a_gpus_memory_is_told" in listed) is runs
