"""`maie top`: the mesh live in a terminal, or once without one."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import termios
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from rich.console import Console
from rich.text import Text

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_cli.names import STAGES
from maie_cli.top.figures import age, size
from maie_cli.top.screen import Screen
from tests.cli.command import MAIE, maie_at
from tests.conftest import free_port
from tests.gateway.conftest import EmptyMesh, empty_mesh
from tests.waiting import until

__all__ = ["empty_mesh"]

JOB = "01a22edc-09ba-7115-a892-95f2b0243492"
# The cursor is shown again, and the screen from before.
SHOW, NORMAL = b"\x1b[?25h", b"\x1b[?1049l"


def mesh_of(workers: int = 1, running: int = 1) -> catalog.GetMeshResponse:
    """A mesh whose ASR stage works, and has no worker for summaries."""
    made = catalog.GetMeshResponse(version="0.1.0", active_jobs=3, max_active_jobs=50)
    made.throughput.window.FromSeconds(300)
    made.throughput.completed_jobs, made.throughput.failed_jobs = 30, 1
    made.throughput.audio.FromSeconds(3600)
    made.throughput.failures.add(job_id=JOB, unit="asr.0003", reason="AUDIO_CORRUPT")
    for stage in STAGES:
        status = made.stages.add(stage=stage)
        for lane in ("interactive", "batch"):
            status.demand.add(lane=lane)
        if stage == common.STAGE_SUMMARY:
            continue
        for number in range(workers):
            status.workers.add(
                stage=stage, instance=f"{common.Stage.Name(stage)[6:].lower()}-{number}", slots=2
            )
    for number in range(2):
        made.gateways.add(instance=f"gateway-host-{number}", live_tracks_in_use=3 * number)
        made.gateways[-1].errors.calls = 12 * number
    asr = made.stages[1]
    asr.workers[0].errors.units = 2
    asr.demand[1].pending_units = 7
    asr.demand[1].oldest_age.FromSeconds(185)
    for number in range(running):
        unit = event.RunningUnit(job_id=JOB, unit=f"asr.{number:04}", attempt=1)
        unit.start_time.GetCurrentTime()
        asr.workers[0].running.append(unit)
    return made


def drawn(shown: catalog.GetMeshResponse, width: int, height: int) -> list[str]:
    """The lines of the screen in a terminal of this size."""
    screen = Screen(gateway="127.0.0.1:50051", mesh=shown, said=time.monotonic())
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True)
    with console.capture() as captured:
        console.print(screen)
    return [line.rstrip() for line in Text.from_ansi(captured.get()).plain.splitlines()]


@pytest.mark.unit
def test_the_screen_says_what_waits_runs_and_failed() -> None:
    text = "\n".join(drawn(mesh_of(), 120, 40))
    assert "jobs 3 of 50" in text
    assert "last 5:00 30 complete, 1 failed  jobs/min 6.2  audio h/h 12" in text
    (asr,) = [
        line for line in text.splitlines() if line.split()[:1] == ["batch"] and "3:05" in line
    ]
    assert asr.split() == ["batch", "0", "7", "0", "3:05"]
    assert any(line.split()[:2] == ["summary", "none"] for line in text.splitlines())
    assert f"{JOB}  asr.0000" in text
    assert "AUDIO_CORRUPT" in text
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line}
    assert lines["gateway-host-0"][1:5] == ["0", "-", "-", "0"]
    assert lines["gateway-host-1"][1:6] == ["12", "calls", "-", "-", "3"]
    # A worker of an earlier release does not say.
    assert lines["asr-0"][1:3] == ["2", "units"]
    assert lines["preprocess-0"][1] == "-"


@pytest.mark.unit
@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 200])
@pytest.mark.parametrize("height", [12, 24, 50])
def test_it_fits_terminals_of_all_sizes(width: int, height: int) -> None:
    lines = drawn(mesh_of(workers=9, running=9), width, height)
    assert max(map(len, lines)) <= width
    text = "".join(lines)
    for stage in ("preprocess", "running"):
        assert stage in text
    if height >= 24:
        assert len(lines) <= height


@pytest.mark.unit
def test_a_job_id_is_whole_in_narrow_terminals() -> None:
    lines = drawn(mesh_of(), 40, 50)
    assert JOB in "".join(line.split("  ")[0] for line in lines)


@pytest.mark.unit
def test_figures_are_short() -> None:
    assert [age(s) for s in (None, 3.9, 65, 3700, 90_000)] == [
        "-",
        "3 s",
        "1:05",
        "1:01:40",
        "1 d 1 h",
    ]
    assert [size(b) for b in (0, 5 << 20, 3 << 30)] == ["-", "5 MiB", "3.0 GiB"]


class Terminal:
    """A `maie top` in a terminal of its own."""

    def __init__(self, gateway: str) -> None:
        self.output = b""
        self._ours, self.theirs = pty.openpty()
        self.resize(100, 30)
        self.before = termios.tcgetattr(self.theirs)
        environment = {**os.environ, "MAIE_GATEWAY": gateway, "TERM": "xterm-256color"}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [MAIE, "top"],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env=environment,
            start_new_session=True,
        )
        os.set_blocking(self._ours, False)
        asyncio.get_running_loop().add_reader(self._ours, self._read)

    def _read(self) -> None:
        self.output += os.read(self._ours, 1 << 16)

    def resize(self, columns: int, lines: int) -> None:
        """Changes the terminal's size; the command gets SIGWINCH from whoever calls this."""
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, key: bytes) -> None:
        """Presses a key."""
        os.write(self._ours, key)

    async def shows(self, text: bytes) -> None:
        """Waits until the terminal gets a text, and forgets what came before."""
        await until(lambda: text in self.output)
        self.output = b""

    def close(self) -> None:
        """Closes the terminal."""
        asyncio.get_running_loop().remove_reader(self._ours)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self.theirs)


@contextmanager
def terminal(gateway: str) -> Iterator[Terminal]:
    made = Terminal(gateway)
    try:
        yield made
    finally:
        made.close()


@asynccontextmanager
async def gateway_at(parts: EmptyMesh, port: int) -> AsyncIterator[str]:
    parts.gateway_options["listen"] = f"127.0.0.1:{port}"
    async with parts.gateway() as address:
        yield address


@pytest.mark.mesh
@pytest.mark.parametrize("key", [b"q", b"signal"])
async def test_q_and_signals_end_it_and_restore_the_terminal(
    empty_mesh: EmptyMesh, key: bytes
) -> None:
    async with empty_mesh.gateway() as address:
        with terminal(address) as shown:
            await shown.shows(b"q quits")
            assert termios.tcgetattr(shown.theirs) != shown.before
            if key == b"q":
                shown.press(key)
            else:
                shown.process.terminate()
            assert await until(lambda: shown.process.poll() is not None)
            assert shown.process.returncode == 0
            await until(lambda: NORMAL in shown.output and SHOW in shown.output)
            assert termios.tcgetattr(shown.theirs) == shown.before


@pytest.mark.mesh
async def test_a_gateway_that_goes_away_is_shown_and_comes_back(empty_mesh: EmptyMesh) -> None:
    port = free_port()
    with_gateway = gateway_at(empty_mesh, port)
    address = await with_gateway.__aenter__()
    with terminal(address) as shown:
        await shown.shows(b"q quits")
        await with_gateway.__aexit__(None, None, None)
        await shown.shows(b"s old.")
        async with gateway_at(empty_mesh, port):
            await shown.shows(b"q quits")


@pytest.mark.mesh
async def test_without_a_terminal_it_prints_once(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running(), empty_mesh.gateway() as address:
        code, output, _ = await maie_at(address, "top")
        assert code == 0
        assert "\x1b" not in output
        assert "preprocess" in output
        code, output, _ = await maie_at(address, "top", "--json")
        assert len(json.loads(output)["stages"]) == len(STAGES)


async def recording() -> AsyncIterator[bytes]:
    yield b"not empty"


@pytest.mark.mesh
async def test_what_runs_is_named_with_its_job_and_worker(empty_mesh: EmptyMesh) -> None:
    release = asyncio.Event()

    async def wait(_: object) -> None:
        await release.wait()

    empty_mesh.stages["asr"].hook = wait
    async with empty_mesh.running() as client:
        accepted = await client.create_job(recording(), features=("raw_transcript",))

        async def names() -> list[str]:
            found = await client.get_mesh()
            return [u.job_id for s in found.stages for w in s.workers for u in w.running]

        async with asyncio.timeout(60):
            while await names() != [accepted.job_id]:
                await asyncio.sleep(0.05)
        release.set()
        async with asyncio.timeout(60):
            while not (await client.get_mesh()).throughput.completed_jobs:
                await asyncio.sleep(0.05)
