"""One process of a local mesh, restarted when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from maie_cli.mesh import leash
from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.logs import last_error, rotate
from maie_cli.mesh.parts import Part
from maie_cli.mesh.ready import is_ready

POLL_SECONDS = 0.1
FIRST_DELAY_SECONDS = 1.0
MAX_DELAY_SECONDS = 30.0
# After this long without a death, the restart delay is reset.
WELL_SECONDS = 60.0
# The most starts of a part that is killed during its start, such as by the out-of-memory killer.
# A part that exits during its start is not restarted: it would fail again.
MAX_STARTS = 4

Report = Callable[[str], None]


class Child:
    """Runs a part until it is stopped.

    Args:
        part: What to run.
        layout: The folder for its log and process id.
        report: Called with one line when the part dies and is restarted.
    """

    def __init__(self, part: Part, layout: Layout, report: Report) -> None:
        self.part = part
        self._layout = layout
        self._report = report
        self._log = layout.log_file(part.name)
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._was_ready = False
        self._ended = ""
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process id, while the part runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Starts the part, and restarts it after it was ready, or if it is killed before."""
        self._stopping.clear()
        self._was_ready, self._ended = False, ""
        rotate(self._log)
        process = await self._spawn()
        self._layout.address_file(self.part.name).write_text(self.part.address)
        self._keeper = asyncio.create_task(self._keep(process))

    async def wait_ready(self, seconds: float) -> None:
        """Waits until the part is ready.

        Raises:
            MeshError: It ended, was killed too often, or is not ready in time.
        """
        deadline = time.monotonic() + seconds
        while True:
            ready = await is_ready(self.part)
            if self._keeper is None or self._keeper.done():
                raise MeshError(
                    f"{self.part.name} did not start: {self._ended or last_error(self._log)}"
                )
            if ready:
                self._was_ready = True
                return
            if time.monotonic() > deadline:
                raise MeshError(
                    f"{self.part.name} is not ready after {seconds:.0f} s; see {self._log}"
                )
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self, grace: float) -> None:
        """Ends the part with SIGTERM, and with SIGKILL after `grace` seconds."""
        self._stopping.set()
        if self._keeper is None:
            return
        self.signal(signal.SIGTERM)
        await asyncio.wait({self._keeper}, timeout=grace)
        self.signal(signal.SIGKILL)
        await self._keeper
        self._keeper = None
        self._layout.address_file(self.part.name).unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the part, if it runs."""
        # It may have ended a moment ago, before `_keep` sees that.
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        delay, starts = FIRST_DELAY_SECONDS, 1
        while True:
            started = time.monotonic()
            status = await process.wait()
            self._kill_session(process.pid)
            if self._stopping.is_set() or not self._is_wanted_again(status, starts):
                return
            if time.monotonic() - started > WELL_SECONDS:
                delay = FIRST_DELAY_SECONDS
            self._report(f"{self.part.name} {_ended(status)}; starting it again in {delay:.0f} s")
            again = await self._spawn_after(delay)
            if again is None:
                return
            process, delay, starts = again, min(MAX_DELAY_SECONDS, delay * 2), starts + 1

    def _is_wanted_again(self, status: int, starts: int) -> bool:
        """Whether the part is restarted after it ended."""
        if self._was_ready:
            return True
        if status > 0:  # it exited by itself; its log says why
            return False
        self._ended = f"it {_ended(status)} {starts} times while it started; see {self._log}"
        return starts < MAX_STARTS

    async def _spawn_after(self, delay: float) -> asyncio.subprocess.Process | None:
        """Restarts the part after a delay; None if it is stopped meanwhile."""
        while not await self._is_stopped_within(delay):
            try:
                return await self._spawn()
            except OSError as error:
                delay = MAX_DELAY_SECONDS
                self._report(f"{self.part.name} cannot be started ({error}); trying again")
        return None

    async def _is_stopped_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return self._stopping.is_set()

    async def _spawn(self) -> asyncio.subprocess.Process:
        if self.part.health_file is not None:  # that of a process that was killed
            self.part.health_file.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_leashed(self.part.command),
                env=self.part.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Its own session, so that Ctrl-C signals only the supervisor, which stops in order.
                start_new_session=True,
                # Texts and names of clients are in databases and logs.
                umask=0o077,
            )
        with suppress(OSError):  # a full disk; a missing pid file is better than two processes
            self._layout.note_pid(self.part.name, self._process.pid)
        if self._stopping.is_set():
            self.signal(signal.SIGTERM)
        return self._process

    def _kill_session(self, pid: int) -> None:
        """Kills the processes that a dead part left in its session."""
        self._layout.pid_file(self.part.name).unlink(missing_ok=True)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _leashed(command: tuple[str, ...]) -> tuple[str, ...]:
    script = str(Path(leash.__file__))
    return (sys.executable, "-I", "-S", script, str(os.getpid()), *command)


def _ended(status: int) -> str:
    if status < 0:
        return f"was killed by {_signal_name(-status)}"
    return f"ended with status {status}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"
