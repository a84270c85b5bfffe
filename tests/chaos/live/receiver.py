"""A receiver of finals that can die: `python -m tests.chaos.live.receiver PORT FOLDER`.

What the file `mood` of the folder holds says what it does: it takes finals, takes them slowly, or
refuses them. It notes each that it takes in the file `taken`, before it answers.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from maie.job.v1 import job_pb2 as job
from tests.chaos.live.journal import Heard
from tests.chaos.world import ROOT
from tests.conftest import free_port

WELL, SLOW, REFUSING = "well", "slow", "refusing"
MOODS = (WELL, SLOW, REFUSING)
SLOW_SECONDS = 1.5
SECRET = "a secret of the receiver's own"
FINAL = "maie.live.final.v1"


def webhook(url: str) -> job.Webhook:
    """The receiver of a session's finals."""
    return job.Webhook(url=url, secret=SECRET, events=[job.WEBHOOK_EVENT_LIVE_FINAL])


class Receiver:
    """The receiver's process, as the trial sees it.

    Args:
        folder: Where its files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}/finals"

    async def start(self) -> None:
        """Starts it, unless it runs."""
        if self._process is not None and self._process.returncode is None:
            return
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__, str(self._port), str(self._folder)), cwd=ROOT
        )

    async def kill(self) -> None:
        """Kills it, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    def become(self, mood: str) -> None:
        """Makes it take finals, take them slowly or refuse them."""
        (self._folder / "mood").write_text(mood)

    def taken(self, session_id: str) -> Sequence[Heard]:
        """The finals of a session that it took, in their order, with repeats."""
        path = self._folder / "taken"
        lines = path.read_text().splitlines() if path.exists() else []
        events = [json.loads(line) for line in lines]
        return [
            Heard(
                utterance=event["id"].rpartition("/")[2],
                text=event["data"]["segment"].get("text", ""),
                track=event["data"]["track"],
            )
            for event in events
            if event["subject"] == session_id
        ]


@asynccontextmanager
async def receiving(folder: Path) -> AsyncIterator[Receiver]:
    """A receiver that takes everything, with its files in an empty folder."""
    receiver = Receiver(folder)
    receiver.become(WELL)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.kill()


async def _take(request: web.BaseRequest, folder: Path) -> web.StreamResponse:
    body = await request.read()
    mood = (folder / "mood").read_text()
    if mood == REFUSING:
        return web.Response(status=503)
    if mood == SLOW:
        await asyncio.sleep(SLOW_SECONDS)
    if json.loads(body)["type"] == FINAL:
        # In one write, so that a killed process leaves whole lines.
        file = os.open(folder / "taken", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(file, body.replace(b"\n", b" ") + b"\n")
        finally:
            os.close(file)
    return web.Response(status=204)


async def main(port: str, folder: str) -> None:
    """Receives until it is killed."""
    runner = web.ServerRunner(web.Server(lambda request: _take(request, Path(folder))))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(port), reuse_address=True).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
