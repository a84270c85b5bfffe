"""Starts processes that decode untrusted audio. Runs in the service."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final, Self

import structlog

from maie_audio.confined_process import ConfinedProcess
from maie_audio.server_process import ServerEndedError, ServerProcess

log = structlog.get_logger()

# A server that was killed is replaced; one that always ends is not tried again and again.
_MAX_TRIES: Final = 3


class StartError(Exception):
    """A process could not be started; says why, as the end of a sentence."""


class ForkServer:
    """Starts processes, each forked from a server that has loaded their code; see `forking`.

    The server starts with the first process, or with `warm_up`, and again once it has ended. Its
    processes end with it, and it ends with the service, even if that is killed.

    A context, at whose end the server is killed. It belongs to no event loop.

    Args:
        module: What the processes run, a `forking.Program`.
        answer_seconds: A server that takes longer to start, fork or kill a process is killed.
    """

    def __init__(self, module: str, *, answer_seconds: float = 60.0) -> None:
        self._module = module
        self._answer_seconds = answer_seconds
        self._current: ServerProcess | None = None
        self._retired: list[ServerProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._current is not None:
            self._retired.append(self._current)
        self._current = None
        while self._retired:
            self._retired.pop().kill()

    @property
    def pid(self) -> int | None:
        """The server's process id; None if it has not started."""
        return None if self._current is None else self._current.pid

    def warm_up(self) -> None:
        """Starts the server unless it runs, and does not wait for it."""
        self._server()

    async def start(self, *arguments: str, stdin: int, buffer_bytes: int) -> ConfinedProcess:
        """Starts a process, which confines itself (`sandbox`).

        Args:
            arguments: For the module's `main`.
            stdin: The descriptor that it reads.
            buffer_bytes: The reader of its output buffers up to twice this.

        Raises:
            StartError: The system has no room for it, or no server starts.
        """
        for _ in range(_MAX_TRIES):
            server = self._server()
            try:
                async with asyncio.timeout(self._answer_seconds):
                    return await server.fork(arguments, stdin, buffer_bytes)
            except (ServerEndedError, TimeoutError):
                self._discard(server)
            except OSError as error:
                raise StartError(f"could not be started ({error.strerror})") from error
        raise StartError(f"could not be started ({server.trace})")

    def _server(self) -> ServerProcess:
        """The server for the next process.

        All processes of a server have the same layout of memory. After a crash, others get a new
        one, so that who sends a file again learned nothing. Those that run go on.
        """
        self._retired = [server for server in self._retired if not server.has_ended()]
        if self._current is not None and self._current.crashed:
            self._current.retire()
            self._retired.append(self._current)
            self._current = None
        if self._current is None:
            self._current = ServerProcess(self._module, self._answer_seconds)
        return self._current

    def _discard(self, server: ServerProcess) -> None:
        server.kill()
        if self._current is server:
            self._current = None
            log.warning("audio.fork_server_ended", status=server.status, trace=server.trace)
