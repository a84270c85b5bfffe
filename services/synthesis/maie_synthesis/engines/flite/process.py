"""Flite in a process of its own, which can be killed."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from maie_synthesis.engines.flite.library import Flite, Word

# A process started by fork would share the parent's event loop, threads and sockets.
_SPAWN = multiprocessing.get_context("spawn")
JOIN_SECONDS = 2.0

Spoken = tuple[bytes, int, list[Word]]
"""As `Flite.speak` returns."""


class ProcessDiedError(Exception):
    """The process ended before it answered."""


class FliteError(Exception):
    """Flite says that it cannot."""


class FliteProcess:
    """A process with Flite; it starts at the first call.

    All but `kill` and `alive` block. One call at a time.

    Args:
        voices: As of `Flite`.

    Attributes:
        busy: Whether a call may be running; the caller sets it.
        files: The files of Flite that it has loaded.
    """

    def __init__(self, voices: tuple[str, ...]) -> None:
        self._voices = voices
        self._lock = threading.Lock()
        self._killed = False
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self.busy = False
        self.files: list[Path] = []

    @property
    def pid(self) -> int | None:
        """The process's id; None before it starts."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether it runs or is not started yet."""
        return not self._killed and (self._process is None or self._process.is_alive())

    def start(self) -> Connection:
        """Starts the process and loads the voices, unless it runs already; `files` is set then.

        Raises:
            FliteError: A library is missing.
            ProcessDiedError: The process ended.
        """
        with self._lock:
            if self._killed:
                raise ProcessDiedError
            if self._connection is not None:
                return self._connection
            self._connection, theirs = _SPAWN.Pipe()
            process = _SPAWN.Process(
                target=_serve, args=(theirs, self._voices), name="flite", daemon=True
            )
            process.start()
            self._process = process
            # Only the child keeps this end, so that its death closes the pipe.
            theirs.close()
        self.files = self._receive(self._connection)
        return self._connection

    def speak(self, text: bytes, voice: str, speed: float) -> Spoken:
        """Speaks a text; see `Flite.speak`.

        Raises:
            FliteError: Flite cannot speak it.
            ProcessDiedError: The process ended.
        """
        connection = self.start()
        try:
            connection.send((text, voice, speed))
        except OSError as error:
            raise ProcessDiedError from error
        spoken: Spoken = self._receive(connection)
        return spoken

    def kill(self) -> None:
        """Kills the process; a running call raises ProcessDiedError."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def join(self) -> None:
        """Waits for the end of a killed process."""
        if self._process is not None:
            self._process.join(JOIN_SECONDS)

    @staticmethod
    def _receive(connection: Connection) -> Any:
        try:
            failure, answer = connection.recv()
        except (EOFError, OSError) as error:
            raise ProcessDiedError from error
        if failure:
            raise FliteError(failure)
        return answer


def _serve(connection: Connection, voices: tuple[str, ...]) -> None:
    """Speaks until the service closes the pipe or dies."""
    # Ctrl-C signals the whole process group; the service ends its processes itself.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError):
        try:
            flite = Flite(voices)
        except (OSError, AttributeError) as error:
            connection.send((str(error) or type(error).__name__, None))
            return
        connection.send(("", flite.files()))
        while True:
            request = connection.recv()
            try:
                answer = flite.speak(*request)
            except RuntimeError as error:
                connection.send((str(error), None))
            else:
                connection.send(("", answer))
