"""Sessions of a trial, each with its client: a task of this process, or a process of its own."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from maie_client import ClientError
from maie_core.reasons import Reason
from tests.chaos.live.journal import Journal
from tests.chaos.live.speaker import speak
from tests.chaos.live.speech import SCRIPTS, Script
from tests.chaos.live.world import LiveWorld
from tests.chaos.world import ROOT

# A client that was killed comes back after so long, at the same gateway or the other.
BACK_SECONDS = (0.1, 4.0)


class Talk:
    """A session whose client says a script.

    Args:
        world: The mesh.
        script: What it says.
        apart: Whether its client is a process of its own, which can be killed.

    Attributes:
        script: What it says.
        journal: What its client has seen.
        failure: Why its client gave up; None where it did not.
        fights: Whether its client takes the session back from another one.
        views: What others who took the session have seen, each with what they had before.
    """

    def __init__(self, world: LiveWorld, script: Script, *, apart: bool = False) -> None:
        self.script = script
        world.folder.mkdir(exist_ok=True)
        self.journal = Journal(Path(tempfile.mkdtemp(dir=world.folder)) / "journal")
        self.failure: str | None = None
        self.fights = False
        self.views: list[Journal] = []
        self._world = world
        self._apart = apart
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Says the script to the session's end."""
        if self._apart:
            await self._run_apart()
            return
        while self.failure is None and self.journal.ended is None:
            try:
                await speak(self._world.gateways(), self.script, self.journal)
            except ClientError as error:
                if not (self.fights and error.reason == Reason.SESSION_TAKEN_OVER):
                    self.failure = f"{error.code.name} {error.reason}: {error.message}"

    async def _run_apart(self) -> None:
        while self.failure is None and self.journal.ended is None:
            self._process = await self._begun()
            _, written = await self._process.communicate()
            if self._process.returncode == -signal.SIGKILL:
                await asyncio.sleep(self._world.chance.uniform(*BACK_SECONDS))
            elif self._process.returncode:
                self.failure = written.decode(errors="replace").strip()[-600:]

    async def _begun(self) -> asyncio.subprocess.Process:
        script = self.script
        tracks = ",".join(map(str, script.tracks))
        leaves = "leaves" if script.leaves else "stays"
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.live.speaker", str(self.journal.path)),
            *(str(script.pace), leaves, tracks, *self._world.gateways()),
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the client's process, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def stop(self) -> None:
        """Kills the client's process, if one runs."""
        self.failure = self.failure or "the trial was over"
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


def script(world: LiveWorld, tracks: tuple[int, int], **fields: Any) -> Script:
    """A script by chance.

    Args:
        world: Gives the chance.
        tracks: The fewest and the most tracks.
        fields: The other fields of the script.
    """
    return Script(
        tracks=tuple(world.chance.sample(range(SCRIPTS), world.chance.randint(*tracks))),
        leaves=world.chance.random() < 0.5,
        **fields,
    )
