"""Two services that share a GPU, as processes of their own with real models: never both at once.

There is no GPU here: the model is a Whisper on the CPU, and what it takes and frees is the
process's own memory. It carries ballast, so that its coming and going is seen.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_client import Client
from tests.asr.heavy_whisper import BALLAST_BYTES, write_heavy_whisper
from tests.asr.recordings import BUG_AND_BUDGET
from tests.waiting import PATIENCE_SECONDS, until

# tests/runtime/test_residency_*.py look at the same in one process.
pytestmark = [pytest.mark.mesh, pytest.mark.slow]

SPOKEN = "I will fix the bug by Friday. The budget was approved last week."
SERVICES = ("asr", "asr-2")
# A service of little work hands on after half a second, so turns are short here.
LEASE_SECONDS = 0.5


@dataclass(kw_only=True, frozen=True)
class Stay:
    """A model's stay in memory.

    Attributes:
        start: When its loading began.
        end: When its unloading was over; None where that was never told.
        freed: The bytes that the unloading freed.
    """

    service: str
    start: float
    end: float | None
    freed: int = 0


class Logs:
    """What the services of a mesh say about themselves."""

    def __init__(self, mesh: LocalMesh) -> None:
        self._layout = mesh.layout

    def of(self, service: str) -> list[dict[str, Any]]:
        """All lines of a service, in order."""
        lines = self._layout.log_file(service).read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def events(self, service: str) -> list[str]:
        """What happened to a service's GPU and model, in order."""
        found = [line["event"] for line in self.of(service)]
        return [event for event in found if event.startswith(("gpu.", "model."))]

    def stays(self, service: str) -> list[Stay]:
        """Each time that the service's model was in memory."""
        stays: list[Stay] = []
        for line in self.of(service):
            at = datetime.fromisoformat(line["timestamp"]).timestamp()
            if line["event"] == "model.loaded":
                stays.append(Stay(service=service, start=at - line["seconds"], end=None))
            elif line["event"] == "model.unloaded":
                freed = line["before"]["rss_bytes"] - line["after"]["rss_bytes"]
                stays[-1] = Stay(service=service, start=stays[-1].start, end=at, freed=freed)
        return stays


@pytest.fixture(scope="module")
def heavy_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_heavy_whisper(tmp_path_factory.mktemp("model") / "heavy")


@asynccontextmanager
async def sharing(data: Path, model: Path, *asr_variables: str) -> AsyncIterator[LocalMesh]:
    """A mesh whose two ASR services share a GPU, and have more variables than the other parts."""
    service = (sys.executable, "-P", "-m", "maie_asr")
    options = MeshOptions(
        data=data,
        port_base=0,
        workers={"asr": 2},
        commands={"asr": ("/usr/bin/env", *asr_variables, *service)},
        environment={
            "MAIE_ASR_ENGINE": "whisper",
            "MAIE_ASR_WHISPER_MODEL_PATH": str(model),
            "MAIE_ASR_WHISPER_CONDITION_ON_PREVIOUS_TEXT": "false",
            "MAIE_ASR_WHISPER_CPU_THREADS": "1",
            "MAIE_ASR_RESIDENCY": "shared-gpu",
            "MAIE_ASR_GPU": "here/0",
            "MAIE_ASR_LEASE_SECONDS": str(LEASE_SECONDS),
            "MAIE_ACK_WAIT_SECONDS": "2",
        },
    )
    async with LocalMesh(options, lambda _: None) as mesh:
        yield mesh


def once(action: str, mark: Path) -> tuple[str, str]:
    """What happens to one of the services, with a unit in hand and the model in memory."""
    return f"MAIE_FAULT=worker.after_run:{action}", f"MAIE_FAULT_MARK={mark}"


async def do_jobs(mesh: LocalMesh, count: int) -> None:
    """Jobs of one chunk each, all at once; all of them are done."""

    async def do() -> job.Job:
        events = client.process(BUG_AND_BUDGET, features=("raw_transcript",))
        return [event async for event in events][-1].finished.job

    async with Client(mesh.gateway) as client:
        done = await asyncio.gather(*(do() for _ in range(count)))
    assert {each.state for each in done} == {job.JOB_STATE_COMPLETE}
    assert {" ".join(each.results.raw_transcript.split()) for each in done} == {SPOKEN}


def assert_apart(stays: list[Stay]) -> None:
    """No two models were in memory at the same time."""
    ordered = sorted(stays, key=lambda stay: stay.start)
    for earlier, later in pairwise(ordered):
        assert earlier.end is not None
        assert earlier.end <= later.start, (earlier, later)


async def assert_told(mesh: LocalMesh) -> None:
    """Who looks at the mesh sees what shares the GPU."""
    async with Client(mesh.gateway) as client:
        stages = (await client.get_mesh()).stages
    memories = [worker.memory for stage in stages for worker in stage.workers]
    sharing = [memory for memory in memories if memory.shared_gpu]
    assert [memory.shared_gpu for memory in sharing] == ["here/0", "here/0"]
    assert all(memory.loads for memory in memories)
    assert all(memory.rss_bytes for memory in memories)


async def test_their_models_are_never_in_memory_together(
    tmp_path: Path, heavy_whisper: Path
) -> None:
    async with sharing(tmp_path / "data", heavy_whisper) as mesh:
        logs = Logs(mesh)
        await do_jobs(mesh, 8)
        await assert_told(mesh)
    stays = {service: logs.stays(service) for service in SERVICES}
    assert_apart([stay for each in stays.values() for stay in each])
    for service, each in stays.items():
        # At its start and in at least one turn; the last one it left when it was stopped.
        assert len(each) >= 2, logs.events(service)
        assert min(stay.freed for stay in each) > 0.9 * BALLAST_BYTES
    for service in SERVICES:
        print(service, [f"{(stay.end or 0) - stay.start:.2f} s" for stay in stays[service]])


async def test_a_unit_that_fails_leaves_nothing_in_memory(
    tmp_path: Path, heavy_whisper: Path
) -> None:
    fault = once("error", tmp_path / "failed")
    async with sharing(tmp_path / "data", heavy_whisper, *fault) as mesh:
        logs = Logs(mesh)
        await do_jobs(mesh, 4)
        await until(lambda: all(logs.events(name)[-1] == "gpu.lease_ended" for name in SERVICES))
        failed = [line["reason"] for name in SERVICES for line in logs.of(name) if _failed(line)]
        assert failed == ["FAULT_INJECTED"]
        assert_apart([stay for name in SERVICES for stay in logs.stays(name)])


def _failed(line: dict[str, Any]) -> bool:
    return bool(line["event"] == "unit.failed")


async def test_a_holder_that_is_killed_in_mid_unit_costs_time_only(
    tmp_path: Path, heavy_whisper: Path
) -> None:
    fault = once("kill", tmp_path / "killed")
    async with sharing(tmp_path / "data", heavy_whisper, *fault) as mesh:
        logs = Logs(mesh)
        before = dict(mesh.layout.pids())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await do_jobs(mesh, 6)
        await until(lambda: set(SERVICES) <= set(mesh.layout.pids()))
        killed = {name for name in SERVICES if mesh.layout.pids()[name] != before[name]}
    assert len(killed) == 1
    (other,) = set(SERVICES) - killed
    assert "model.unloaded" in logs.events(other)


async def test_a_holder_that_was_frozen_unloads_before_anything_else(
    tmp_path: Path, heavy_whisper: Path
) -> None:
    mark = tmp_path / "frozen"
    fault = once("freeze", mark)
    async with sharing(tmp_path / "data", heavy_whisper, *fault) as mesh:
        logs = Logs(mesh)
        working = asyncio.create_task(do_jobs(mesh, 6))
        await until(mark.exists)
        await until(lambda: any(_is_frozen(mesh, name) for name in SERVICES))
        frozen = next(name for name in SERVICES if _is_frozen(mesh, name))
        (other,) = set(SERVICES) - {frozen}
        # The other takes over and does all the work.
        async with asyncio.timeout(PATIENCE_SECONDS):
            await working
        turns = logs.events(frozen)
        os.kill(mesh.layout.pids()[frozen], signal.SIGCONT)
        await until(lambda: "gpu.lease_ended" in logs.events(frozen)[len(turns) :])
        after = logs.events(frozen)[len(turns) :]
        assert after[:3] == ["gpu.lost", "model.unloaded", "gpu.lease_ended"]
        # It is well again, and takes its turns as before.
        await do_jobs(mesh, 6)
        assert_apart([stay for stay in logs.stays(other) if stay.end is not None])


def _is_frozen(mesh: LocalMesh, name: str) -> bool:
    status = Path(f"/proc/{mesh.layout.pids()[name]}/stat").read_text()
    return status.rpartition(")")[2].split()[0] == "T"
