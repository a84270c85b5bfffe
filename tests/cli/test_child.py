"""A part of a local mesh is kept running, and never outlives its supervisor."""

import asyncio
import dataclasses
import os
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from maie_cli.mesh.child import Child
from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.parts import Part
from maie_cli.mesh.ports import HOST, Ports, is_free
from maie_cli.mesh.ready import is_serving
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

SERVING_PART = Path(__file__).with_name("serving_part.py")


def part(command: tuple[str, ...] = ()) -> Part:
    address = Ports().take(0)
    return Part(
        name="part",
        command=command or (sys.executable, str(SERVING_PART), address),
        address=address,
        environment=dict(os.environ),
    )


@pytest.fixture
def layout(tmp_path):
    made = Layout(tmp_path / "mesh")
    made.create()
    return made


@asynccontextmanager
async def running(layout: Layout, reports: list[str]):
    child = Child(part(), layout, reports.append)
    await child.start()
    try:
        await child.wait_ready(PATIENCE_SECONDS)
        yield child
    finally:
        await child.stop(5)


def grandchild(layout: Layout) -> int:
    lines = layout.log_file("part").read_text().splitlines()
    return int(next(line for line in reversed(lines) if "grandchild" in line).split()[1])


async def gone(pid: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.02)


async def test_a_part_that_runs_has_its_pid_and_address_in_files(layout):
    async with running(layout, []) as child:
        assert layout.pids() == {"part": child.pid}
        assert layout.address_file("part").read_text() == child.part.address
        assert await is_serving(child.part.address)
    assert layout.pids() == {}
    assert not layout.address_file("part").exists()


async def test_a_part_that_is_killed_comes_back_where_it_was(layout):
    reports: list[str] = []
    async with running(layout, reports) as child:
        first, its_child = child.pid, grandchild(layout)
        child.signal(signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while child.pid in (None, first) or not await is_serving(child.part.address):
                await asyncio.sleep(0.05)
        assert layout.pids() == {"part": child.pid}
        await gone(its_child)
    assert reports == ["part was killed by SIGKILL; starting it again in 1 s"]


async def test_stopping_ends_what_the_part_started_too(layout):
    async with running(layout, []):
        its_child = grandchild(layout)
    await gone(its_child)


async def test_a_part_that_died_in_this_moment_can_be_stopped(layout):
    async with running(layout, []) as child:
        child.signal(signal.SIGKILL)
        # `_keep` sees its end only once the loop runs.
        psutil.wait_procs([psutil.Process(child.pid)], timeout=PATIENCE_SECONDS)
        assert not psutil.pid_exists(child.pid)
        await child.stop(5)
        assert child.pid is None


async def test_a_part_that_is_stopped_can_be_started_again(layout):
    async with running(layout, []) as child:
        await child.stop(5)
        assert child.pid is None
        await child.start()
        await child.wait_ready(PATIENCE_SECONDS)
        assert await is_serving(child.part.address)


async def test_a_part_that_does_not_start_says_its_last_error(layout):
    script = (
        'import sys; print(\'{"level": "error", "event": "service.failed", '
        '"error": "The model is missing; set A to B."}\'); print("bye"); sys.exit(1)'
    )
    child = Child(part((sys.executable, "-c", script)), layout, print)
    await child.start()
    with pytest.raises(MeshError, match=r"part did not start: The model is missing; set A to B\."):
        await child.wait_ready(PATIENCE_SECONDS)
    await child.stop(1)


def dying(layout: Layout, status: int, times: int, reports: list[str]) -> Child:
    (layout.root / "starts").mkdir()
    made = part()
    script = (sys.executable, "-m", "tests.cli.dying_part", str(status), str(times))
    command = (*script, str(layout.root / "starts"), made.address)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return Child(
        dataclasses.replace(made, command=command, environment=environment),
        layout,
        reports.append,
    )


def starts_of(layout: Layout) -> int:
    return len(list((layout.root / "starts").iterdir()))


async def test_a_part_that_is_killed_while_it_starts_is_started_again(layout, monkeypatch):
    monkeypatch.setattr("maie_cli.mesh.child.FIRST_DELAY_SECONDS", 0.1)
    reports: list[str] = []
    child = dying(layout, -signal.SIGKILL, 2, reports)
    await child.start()
    await child.wait_ready(PATIENCE_SECONDS)
    assert await is_serving(child.part.address)
    assert starts_of(layout) == 3
    assert [line.partition(";")[0] for line in reports] == ["part was killed by SIGKILL"] * 2
    await child.stop(5)


async def test_a_part_that_is_killed_at_every_start_is_given_up(layout, monkeypatch):
    monkeypatch.setattr("maie_cli.mesh.child.FIRST_DELAY_SECONDS", 0.1)
    child = dying(layout, -signal.SIGSEGV, 99, [])
    await child.start()
    with pytest.raises(MeshError, match=r"did not start: it was killed by SIGSEGV 4 times.*\.log"):
        await child.wait_ready(PATIENCE_SECONDS)
    await child.stop(1)
    assert starts_of(layout) == 4
    assert layout.pids() == {}


async def test_a_part_that_ends_by_itself_while_it_starts_is_not_started_again(layout):
    child = dying(layout, 3, 1, [])
    await child.start()
    with pytest.raises(MeshError, match=r"did not start: This is my own fault\."):
        await child.wait_ready(PATIENCE_SECONDS)
    await child.stop(1)
    assert starts_of(layout) == 1


async def test_a_part_is_stopped_while_it_waits_for_its_next_start(layout):
    reports: list[str] = []
    child = dying(layout, -signal.SIGKILL, 99, reports)
    await child.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not reports:
            await asyncio.sleep(0.02)
    await child.stop(5)
    assert starts_of(layout) == 1
    assert child.pid is None


async def test_a_part_that_ignores_sigterm_is_killed_after_the_grace(layout):
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(600)"
    child = Child(part((sys.executable, "-u", "-c", script)), layout, print)
    await child.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not layout.log_file("part").read_text():
            await asyncio.sleep(0.02)
    await child.stop(0.2)
    assert child.pid is None


async def test_a_log_starts_anew_and_the_one_before_is_kept(layout):
    async with running(layout, []):
        pass
    before = layout.log_file("part").read_text()
    async with running(layout, []):
        assert layout.log_file("part").with_suffix(".log.1").read_text() == before


async def test_parts_die_with_a_supervisor_that_is_killed(layout):
    script = f"""
import asyncio
from pathlib import Path
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.child import Child
from tests.cli.test_child import part

async def main():
    child = Child(part(), Layout(Path({str(layout.root)!r})), print)
    await child.start()
    await child.wait_ready({PATIENCE_SECONDS})
    print(child.pid, flush=True)
    await asyncio.Future()

asyncio.run(main())
"""
    supervisor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script),
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert supervisor.stdout is not None
    pid = int(await supervisor.stdout.readline())
    its_child = grandchild(layout)
    supervisor.kill()
    await supervisor.wait()
    await gone(pid)
    os.kill(its_child, signal.SIGKILL)  # nobody is left to end it


def test_a_second_mesh_in_the_same_folder_is_refused(layout):
    with layout.locked(), pytest.raises(MeshError, match=f"process {os.getpid()}"):  # noqa: SIM117
        with Layout(layout.root).locked():
            pass
    with layout.locked():
        pass


def test_what_a_killed_mesh_left_behind_is_forgotten(layout):
    layout.pid_file("asr").write_text("1")
    with layout.locked():
        assert layout.pids() == {}


def test_a_port_that_is_taken_is_named():
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(MeshError, match=f"Port {port} is taken"):
            Ports().take(port)
    assert Ports().take(0).startswith(f"{HOST}:")
