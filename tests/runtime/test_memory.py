"""What a service says of its memory is what it takes."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from importlib.util import find_spec

import psutil
import pytest
from structlog.testing import capture_logs

from maie_runtime.gpu.memory import ModelMemory, memory_in_use

pytestmark = pytest.mark.unit

LARGE = 64 * 1024 * 1024
TAKES_MEMORY = f"held = bytearray(b'x' * {LARGE}); print('ready', flush=True); input()"


def test_it_is_what_the_system_says() -> None:
    process = psutil.Process(os.getpid())
    # What other tests have started and keep counts, too.
    family = [process, *process.children(recursive=True)]
    expected = sum(each.memory_info().rss for each in family)
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


def _model_sized() -> mmap.mmap:
    """Memory of that size in use, which goes back to the system once it is closed.

    What malloc served may stay with the process when it is freed.
    """
    held = mmap.mmap(-1, LARGE)
    for page in range(0, LARGE, mmap.PAGESIZE):
        held[page] = 1
    return held


async def test_what_comes_and_goes_is_logged_and_told() -> None:
    memory = ModelMemory()
    assert not (await memory.report("")).loaded
    with capture_logs() as logs:
        async with memory.loading(gpu="here/0"):
            held = _model_sized()
        loaded = await memory.report("here/0")
        async with memory.unloading(gpu="here/0"):
            held.close()
    unloaded = await memory.report("here/0")
    assert [(line["event"], line["gpu"]) for line in logs] == [
        ("model.loaded", "here/0"),
        ("model.unloaded", "here/0"),
    ]
    grown = [line["after"]["rss_bytes"] - line["before"]["rss_bytes"] for line in logs]
    assert grown[0] > 0.9 * LARGE
    assert grown[1] < -0.9 * LARGE
    assert loaded.rss_bytes - unloaded.rss_bytes > 0.9 * LARGE
    assert [(told.loaded, told.loads) for told in (loaded, unloaded)] == [(True, 1), (False, 1)]
    assert loaded.shared_gpu == "here/0"
    took = unloaded.moving_duration.ToTimedelta().total_seconds()
    assert took == pytest.approx(sum(line["seconds"] for line in logs), abs=0.002)


async def test_a_load_that_fails_counts_as_time_only() -> None:
    memory = ModelMemory()
    with capture_logs() as logs, pytest.raises(RuntimeError):
        async with memory.loading():
            raise RuntimeError("no such file")
    told = await memory.report("")
    assert (told.loaded, told.loads, logs) == (False, 0, [])
    assert told.HasField("moving_duration")


@pytest.mark.skipif(find_spec("pynvml") is not None, reason="NVIDIA's library is installed")
def test_without_nvidias_library_nothing_is_said_of_gpus() -> None:
    assert "gpu_bytes" not in memory_in_use()


@pytest.mark.gpu
def test_a_gpus_memory_is_told() -> None:
    assert memory_in_use()["gpu_bytes"] > 0
