"""A whole mesh on this machine, from start to orderly stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from maie_cli.mesh.broker_care import care_for
from maie_cli.mesh.child import Child, Report
from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.key import key_of
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.logs import trim
from maie_cli.mesh.options import MeshOptions
from maie_cli.mesh.parts import GATEWAY, GRACE_SECONDS, NATS, WEB, Part, fit_of, plan
from maie_runtime.background import end

# Loading a large model takes minutes, and services that share a GPU load one after another. A
# part that ends is noticed at once.
START_SECONDS = 900.0
# A service waits for its units and then for its calls, each up to the grace, and closes its engine.
STOP_SECONDS = 2 * GRACE_SECONDS + 5.0
TRIM_EVERY_SECONDS = 60.0


class LocalMesh:
    """Starts and supervises a mesh; an asynchronous context manager.

    Args:
        options: The user's options.
        report: Called with a line about workers and slots, and a line when a part dies and is
            restarted.

    Attributes:
        layout: The mesh's folder.
        children: The parts by name, in start order.

    Raises:
        MeshError: On entering: the mesh does not start. No process is left running.
    """

    def __init__(self, options: MeshOptions, report: Report = print) -> None:
        self.layout = Layout(options.data)
        self.children: dict[str, Child] = {}
        self._options = options
        self._report = report
        self._stack = ExitStack()
        self._hurry = asyncio.Event()
        self._chores: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        try:
            self.layout.create()
            self._stack.enter_context(self.layout.locked())
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop()

    @property
    def gateway(self) -> str:
        """HOST:PORT of the gateway."""
        return self.children[GATEWAY].part.address

    @property
    def key_file(self) -> Path | None:
        """The file with the key that calls of the gateway need; None where they need none."""
        return key_of(self.children[GATEWAY].part)

    async def start_part(self, name: str) -> None:
        """Starts a stopped part, and waits until it is ready.

        Raises:
            MeshError: It does not start.
        """
        child = self.children[name]
        await child.start()
        await child.wait_ready(START_SECONDS)

    async def stop_part(self, name: str) -> None:
        """Stops a part in order; it is not restarted."""
        await self.children[name].stop(STOP_SECONDS)

    def kill_part(self, name: str) -> None:
        """Kills a part like a crash; the supervisor restarts it."""
        self.children[name].signal(signal.SIGKILL)

    def hurry(self) -> None:
        """Ends an orderly stop at once."""
        self._hurry.set()

    async def _start(self) -> None:
        self._report(f"speech: {fit_of(self._options).sentence}")
        parts = self._plan()
        self.children = {part.name: Child(part, self.layout, self._report) for part in parts}
        await self._start_broker()
        await self._start_all([each for each in self.children.values() if not each.part.is_broker])
        chores = (self._trim_logs(), self._care_for_broker())
        self._chores = [asyncio.create_task(chore) for chore in chores]

    def _plan(self) -> list[Part]:
        return plan(self._options, self.layout)

    async def _start_broker(self) -> None:
        await self.start_part(NATS)

    async def _care_for_broker(self) -> None:
        await care_for(self.children[NATS], self.layout, self._report)

    async def _start_all(self, children: list[Child]) -> None:
        for child in children:
            await child.start()
        await _all_or_first_error([child.wait_ready(START_SECONDS) for child in children])

    async def _stop(self) -> None:
        await end(*self._chores)
        servers = [name for name, child in self.children.items() if child.part.is_broker]
        doors = [name for name in (WEB, GATEWAY) if name in self.children]
        stages = [name for name in self.children if name not in (*doors, *servers)]
        for names in (*([door] for door in doors), stages, servers):
            await self._stop_children([self.children[name] for name in names])
        self._stack.close()

    async def _stop_children(self, children: list[Child]) -> None:
        stopping = asyncio.gather(*(child.stop(STOP_SECONDS) for child in children))
        hurry = asyncio.create_task(self._hurry.wait())
        waiting: set[asyncio.Future[Any]] = {stopping, hurry}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        for child in children:
            child.signal(signal.SIGKILL)
        await stopping

    async def _trim_logs(self) -> None:
        while True:
            await asyncio.sleep(TRIM_EVERY_SECONDS)
            for name in self.children:
                await asyncio.to_thread(trim, self.layout.log_file(name))


async def _all_or_first_error(waits: list[Coroutine[Any, Any, None]]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for wait in waits:
                group.create_task(wait)
    except* MeshError as errors:
        raise errors.exceptions[0] from None
