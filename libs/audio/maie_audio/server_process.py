"""One process of a fork server. Runs in the service."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from contextlib import ExitStack

from maie_audio.confined_process import ConfinedProcess
from maie_audio.forking import ANSWER, SIZE


class ServerEndedError(Exception):
    """A fork server ended, or does not listen."""


class ServerProcess:
    """A process that runs `forking`, from its start on.

    Args:
        module: The `forking.Program` that it loads.
        answer_seconds: It hangs if it does not answer for so long.

    Attributes:
        answer_seconds: It hangs if it does not answer for so long.
        crashed: Whether one of its processes crashed.
        trace: The last line of its standard error, once it was killed.
    """

    def __init__(self, module: str, answer_seconds: float) -> None:
        self.answer_seconds = answer_seconds
        self.crashed = False
        self.trace = ""
        self._requests, theirs = socket.socketpair()
        self._requests.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - a list of our own, no shell
                (sys.executable, "-I", "-m", "maie_audio.forking", module),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                # More threads would only use address space, which is limited.
                env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PATH": os.defpath},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status or minus a signal, once it was killed."""
        return self._process.returncode

    async def fork(
        self, arguments: Sequence[str], stdin: int, buffer_bytes: int
    ) -> ConfinedProcess:
        """Has a process forked, and waits for its id; see `ForkServer.start`.

        Raises:
            OSError: The system has no room for it.
            ServerEndedError: The server ended.
        """
        with ExitStack() as ours:
            with ExitStack() as theirs:
                (data, output), (control, answers), (errors, trace) = (
                    _pair(ours, theirs) for _ in range(3)
                )
                theirs_ = (output.fileno(), trace.fileno(), answers.fileno())
                self._send(arguments, (stdin, *theirs_))
            controlled = await _open(control, ours)
            pid = await _receive_pid(controlled[0])
            stdout = await _open(data, ours, buffer_bytes)
            ours.pop_all()
            return ConfinedProcess(pid, stdout, errors, controlled, self)

    def retire(self) -> None:
        """Lets it end once its processes have ended."""
        self._requests.close()

    def has_ended(self) -> bool:
        """Whether it has ended after `retire`."""
        if self._process.poll() is None:
            return False
        self.kill()
        return True

    def kill(self) -> None:
        """Kills it, and so its processes. Waits until it has ended, which is at once."""
        self._requests.close()
        self._process.kill()
        if self._process.stderr is not None and not self._process.stderr.closed:
            _, trace = self._process.communicate()
            self.trace = trace.decode(errors="replace").strip().rpartition("\n")[2]

    def _send(self, arguments: Sequence[str], descriptors: Sequence[int]) -> None:
        content = json.dumps(arguments).encode()
        message = SIZE.pack(len(content)) + content
        try:
            sent = socket.send_fds(self._requests, [message], descriptors)
        except (BlockingIOError, ConnectionError) as error:
            raise ServerEndedError from error
        if sent < len(message):
            raise ServerEndedError


def _pair(ours: ExitStack, theirs: ExitStack) -> tuple[socket.socket, socket.socket]:
    """Two connected sockets, which the contexts close."""
    one, two = socket.socketpair()
    ours.enter_context(one).setblocking(False)
    return one, theirs.enter_context(two)


async def _open(
    connected: socket.socket, ours: ExitStack, buffer_bytes: int = ANSWER.size
) -> tuple[StreamReader, StreamWriter]:
    reader, writer = await asyncio.open_connection(sock=connected, limit=buffer_bytes)
    ours.callback(writer.close)
    return reader, writer


async def _receive_pid(answers: StreamReader) -> int:
    try:
        (pid,) = ANSWER.unpack(await answers.readexactly(ANSWER.size))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise ServerEndedError from error
    if pid < 0:
        raise OSError(-pid, os.strerror(-pid))
    return int(pid)
