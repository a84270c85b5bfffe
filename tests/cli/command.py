"""The `maie` command as a process, which a server of this test run forks.

It is for commands that are run to their end. Those that get signals, are piped into others or
have a terminal are started from their script, `MAIE`.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

from tests.cli import command_server
from tests.cli.command_server import REPORT
from tests.waiting import PATIENCE_SECONDS

MAIE = Path(sys.executable).with_name("maie")


class Ended(NamedTuple):
    """A command that ended.

    Attributes:
        code: Its exit code; negative: the signal that ended it.
        output: What it wrote to standard output.
        errors: What it wrote to standard error.
    """

    code: int
    output: str
    errors: str


async def maie_at(
    gateway: str,
    *arguments: object,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Runs the command to its end; see `run`."""
    changed = {"MAIE_GATEWAY": gateway, **(environment or {})}
    return await asyncio.to_thread(run, *arguments, cwd=cwd, environment=changed)


def run(*arguments: object, cwd: Path | None = None, environment: Mapping[str, str]) -> Ended:
    """Runs the command to its end, without standard input.

    Args:
        arguments: Bytes, or what str() makes an argument of.
        cwd: Its working directory; None: that of the tests.
        environment: Variables besides those of the tests.
    """
    assert not any(name.startswith("PYTHON") for name in environment), "read before the fork"
    texts = [each if isinstance(each, bytes) else os.fsencode(str(each)) for each in arguments]
    request = {
        "argv": [str(MAIE), *map(os.fsdecode, texts)],
        "cwd": str(cwd or Path.cwd()),
        "environment": {**os.environ, **environment},
    }
    with ExitStack() as stack:
        output, errors = (stack.enter_context(TemporaryFile()) for _ in range(2))
        nothing = stack.enter_context(open(os.devnull, "rb"))
        ours, theirs = socket.socketpair()
        stack.enter_context(ours)
        with theirs:
            descriptors = [each.fileno() for each in (nothing, output, errors, theirs)]
            socket.send_fds(_server(), [json.dumps(request).encode()], descriptors)
        code = os.waitstatus_to_exitcode(_status(ours))
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read())
    return Ended(code, *(text.decode() for text in texts))


def _status(reports: socket.socket) -> int:
    """The status of a command, which is killed where it takes too long."""
    reports.settimeout(PATIENCE_SECONDS)
    (pid,) = REPORT.unpack(reports.recv(REPORT.size))
    try:
        (status,) = REPORT.unpack(reports.recv(REPORT.size))
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        raise
    return int(status)


@cache
def _server() -> socket.socket:
    """The server of this process, from the first command on."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", command_server.__file__, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={**os.environ, "GRPC_VERBOSITY": "ERROR"},
        )

    def stop() -> None:
        ours.close()
        process.wait()

    atexit.register(stop)
    return ours
