"""What a service says of its memory is what it takes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import psutil
import pytest
from structlog.testing import capture_logs

from maie_runtime.memory import memory_in_use, memory_logged

pytestmark = pytest.mark.unit

LARGE = 64 * 1024 * 1024
TAKES_MEMORY = f"held = bytearray(b'x' * {LARGE}); print('ready', flush=True); input()"


def test_it_is_what_the_system_says() -> None:
    expected = psutil.Process(os.getpid()).memory_info().rss
    assert abs(memory_in_use()["rss_bytes"] - expected) < 0.1 * expected


def test_processes_that_the_service_started_count() -> None:
    before = memory_in_use()["rss_bytes"]
    with subprocess.Popen(
        [sys.executable, "-c", TAKES_MEMORY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        during = memory_in_use()["rss_bytes"]
        child.communicate(b"\n")
    assert during - before > 0.9 * LARGE
    assert memory_in_use()["rss_bytes"] - before < 0.1 * LARGE


def test_both_moments_are_logged() -> None:
    held = bytearray()
    with capture_logs() as logs, memory_logged("model.loaded", gpu="here/0"):
        held.extend(b"x" * LARGE)
    (line,) = logs
    assert (line["event"], line["gpu"]) == ("model.loaded", "here/0")
    assert line["after"]["rss_bytes"] - line["before"]["rss_bytes"] > 0.9 * LARGE
    assert line["seconds"] >= 0


@pytest.mark.skipif(find_spec("pynvml") is not None, reason="NVIDIA's library is installed")
def test_without_nvidias_library_nothing_is_said_of_gpus() -> None:
    assert "gpu_bytes" not in memory_in_use()


@pytest.mark.gpu
def test_a_gpus_memory_is_told() -> None:
    assert memory_in_use()["gpu_bytes"] > 0
