"""One process that decodes untrusted audio. Runs in the service."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from asyncio import StreamReader, StreamWriter
from typing import TYPE_CHECKING

from maie_audio.forking import ANSWER

if TYPE_CHECKING:
    from maie_audio.server_process import ServerProcess

# A process that dies of one of these signals broke a decoder.
_CRASHES = frozenset({
    signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL,
})  # fmt: skip
# Its input broke a decoder or a limit.
KILLED_BY_INPUT = _CRASHES | {signal.SIGXCPU, signal.SIGXFSZ}
_MAX_TRACE_BYTES = 64 * 1024


class ConfinedProcess:
    """A process that decodes untrusted audio; made by `ForkServer.start`, ended by `end`.

    Args:
        pid: Its process id.
        output: Its standard output; nothing is written there.
        errors: Its standard error, which does not block.
        control: Answers of the fork server about it, and orders to it.
        server: Its fork server.

    Attributes:
        pid: Its process id.
        stdout: Its standard output.
    """

    def __init__(
        self,
        pid: int,
        output: tuple[StreamReader, StreamWriter],
        errors: socket.socket,
        control: tuple[StreamReader, StreamWriter],
        server: ServerProcess,
    ) -> None:
        self.pid = pid
        self.stdout, self._output = output
        self._errors = errors
        self._answers, self._orders = control
        self._server = server
        self._status = asyncio.create_task(self._receive_status())
        self._ending: asyncio.Task[str] | None = None

    async def wait(self) -> int:
        """Waits until it has ended, and gives its exit status, or minus the signal."""
        return await asyncio.shield(self._status)

    async def end(self) -> str:
        """Kills it and waits until it has ended, even if this task is cancelled.

        Returns:
            The last line of its standard error.
        """
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        return await asyncio.shield(self._ending)

    async def _receive_status(self) -> int:
        try:
            (status,) = ANSWER.unpack(await self._answers.readexactly(ANSWER.size))
        except (asyncio.IncompleteReadError, ConnectionError):
            # The kernel kills it with its fork server.
            return -signal.SIGKILL
        if -status in _CRASHES:
            self._server.crashed = True
        return int(status)

    async def _end(self) -> str:
        if not self._status.done():
            self._orders.write_eof()
        try:
            async with asyncio.timeout(self._server.answer_seconds):
                await self.wait()
        except TimeoutError:
            self._server.kill()
        # All of it is gone once nobody has its output open.
        while await self.stdout.read(_MAX_TRACE_BYTES):
            pass
        for writer in (self._output, self._orders):
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        with self._errors:
            return _last_line(self._errors)


def _last_line(errors: socket.socket) -> str:
    try:
        trace = errors.recv(_MAX_TRACE_BYTES)
    except (BlockingIOError, ConnectionError):
        return ""
    return trace.decode(errors="replace").strip().rpartition("\n")[2]
