"""The fork server: a process that loads a decoder's code once and forks a process for each request.

It decodes nothing itself. So each process begins with the same memory, which no audio has
touched, and costs no imports. The server has one thread, since a fork copies no other.

A request is a message on standard input: four bytes of size (little endian) and the arguments
(JSON). With it come four descriptors: standard input, output and error of the process, and a
socket by which the service controls it. There the server sends the process id, or minus the
number of an error, then its status once it has ended: the exit status, or minus the signal that
ended it. Once the service closes that socket for writing, or ends, the server kills the process.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import traceback
from typing import Final, NoReturn, Protocol, cast

from maie_audio import sandbox

SIZE: Final = struct.Struct("<I")
ANSWER: Final = struct.Struct("<i")
DESCRIPTORS: Final = 4
# More than the processes of any service. Closing all up to a limit of millions takes long
# before Linux 5.9.
_MAX_DESCRIPTORS = 4096


class Program(Protocol):
    """The module that the processes run."""

    def prepare(self) -> None:
        """Loads what all processes share; runs once, in the server."""

    def main(self, *arguments: str) -> NoReturn:
        """Confines the process, decodes and ends."""


class _ForkServer:
    """Forks processes, and reaps them.

    Args:
        requests: Where requests come from.
        program: What a process runs.
    """

    def __init__(self, requests: socket.socket, program: Program) -> None:
        self._requests = requests
        self._program = program
        self._open = True
        self._controls: dict[int, socket.socket] = {}  # by process id
        self._ends = _ends_of_children()
        self._selector = selectors.DefaultSelector()
        self._selector.register(requests, selectors.EVENT_READ, None)
        self._selector.register(self._ends, selectors.EVENT_READ, None)

    def serve(self) -> None:
        """Serves until the service closes the requests and all processes have ended."""
        while self._open or self._controls:
            for key, _ in self._selector.select():
                if key.fileobj is self._requests:
                    self._accept()
                elif key.fileobj is self._ends:
                    self._reap()
                else:
                    self._kill(key.data)

    def _accept(self) -> None:
        request = _receive(self._requests)
        if request is None:
            self._selector.unregister(self._requests)
            self._open = False
            return
        arguments, descriptors = request
        control = socket.socket(fileno=descriptors.pop())
        try:
            pid = self._fork(arguments, descriptors)
        except OSError as error:
            _answer(control, -(error.errno or -1))
            control.close()
        else:
            self._controls[pid] = control
            self._selector.register(control, selectors.EVENT_READ, pid)
            _answer(control, pid)
        for descriptor in descriptors:
            os.close(descriptor)

    def _fork(self, arguments: list[str], descriptors: list[int]) -> int:
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            _run(self._program, arguments, descriptors, server)
        return pid

    def _kill(self, pid: int) -> None:
        # It may just have been reaped.
        if (control := self._controls.get(pid)) is not None:
            self._selector.unregister(control)
            os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ends.recv(4096)
        for pid in list(self._controls):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                control = self._controls.pop(pid)
                with contextlib.suppress(KeyError):  # It was killed.
                    self._selector.unregister(control)
                _answer(control, os.waitstatus_to_exitcode(status))
                control.close()


def _ends_of_children() -> socket.socket:
    """Gives a socket that is readable once a child has ended."""
    readable, written = socket.socketpair()
    readable.setblocking(False)
    written.setblocking(False)
    signal.set_wakeup_fd(written.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return readable


def _receive(requests: socket.socket) -> tuple[list[str], list[int]] | None:
    """Reads a request: the arguments and the descriptors; None at the end."""
    header, descriptors, _, _ = socket.recv_fds(
        requests, SIZE.size, DESCRIPTORS, socket.MSG_WAITALL
    )
    if len(header) < SIZE.size:
        return None
    (size,) = SIZE.unpack(header)
    return json.loads(requests.recv(size, socket.MSG_WAITALL)), descriptors


def _answer(control: socket.socket, number: int) -> None:
    with contextlib.suppress(ConnectionError):  # The service no longer waits for it.
        control.sendall(ANSWER.pack(number))


def _run(program: Program, arguments: list[str], descriptors: list[int], server: int) -> NoReturn:
    """Runs the program in a process just forked, which keeps nothing open of the server's."""
    try:
        sandbox.end_with_parent(server)
        # A signal to the group of a process reaches no other.
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os.closerange(len(descriptors), _MAX_DESCRIPTORS)
        program.main(*arguments)
    except BaseException:  # noqa: BLE001 - the service reads the trace
        traceback.print_exc()
    finally:
        # Nothing of the server may run here.
        os._exit(1)


def main() -> None:
    """Serves the requests on standard input; the argument is the program's module."""
    sandbox.end_with_parent()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_MAX_DESCRIPTORS, most),) * 2)
    requests = socket.socket(fileno=os.dup(0))
    program = cast(Program, importlib.import_module(sys.argv[1]))
    program.prepare()
    # Garbage collection in a process would copy the memory that it shares with the server.
    gc.collect()
    gc.freeze()
    _ForkServer(requests, program).serve()


if __name__ == "__main__":
    main()
