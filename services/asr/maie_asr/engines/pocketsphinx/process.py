"""A decoder in a separate process, which can be killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from maie_asr.engines.pocketsphinx.decoder import DecodedWord, UtteranceDecoder

# A process started by fork would share the parent's event loop, threads and sockets.
_SPAWN = multiprocessing.get_context("spawn")
# The search has random access to 100 MB of models and lattices; with 4 KiB pages, address
# translation takes a seventh of its time. This needs glibc 2.35 or later and transparent huge pages
# on `madvise`; elsewhere it has no effect.
HUGE_PAGES = "glibc.malloc.hugetlb=1"
JOIN_SECONDS = 2.0


class DecoderDiedError(Exception):
    """The process ended before it answered."""


class ModelUnreadableError(Exception):
    """The library could not read the model."""


class DecoderProcess:
    """A process with one decoder; it starts at the first call.

    All but `kill` and `alive` block. One call at a time.

    Args:
        model: The model's directory.

    Attributes:
        busy: Whether a call may be running; the caller sets it.
    """

    def __init__(self, model: Path) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._killed = False
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self.busy = False

    @property
    def alive(self) -> bool:
        """Whether it runs or is not started yet."""
        return not self._killed and (self._process is None or self._process.is_alive())

    def start(self) -> Connection:
        """Starts the process and loads the model, unless it runs already.

        Raises:
            ModelUnreadableError: The model is damaged.
            DecoderDiedError: The process ended.
        """
        with self._lock:
            if self._killed:
                raise DecoderDiedError
            if self._connection is not None:
                return self._connection
            # A process reads its tunables once, at its start, from the environment it inherits.
            os.environ.setdefault("GLIBC_TUNABLES", HUGE_PAGES)
            self._connection, theirs = _SPAWN.Pipe()
            self._process = _SPAWN.Process(
                target=_serve, args=(theirs, self._model), name="pocketsphinx", daemon=True
            )
            self._process.start()
            # Only the child keeps this end, so that its death closes the pipe.
            theirs.close()
        if failure := self._receive(self._connection):
            raise ModelUnreadableError(failure)
        return self._connection

    def decode(self, pcm: bytes) -> list[DecodedWord]:
        """Decodes an utterance; see `UtteranceDecoder.decode`.

        Raises:
            DecoderDiedError: The process ended.
        """
        connection = self.start()
        try:
            connection.send_bytes(pcm)
        except OSError as error:
            raise DecoderDiedError from error
        words: list[DecodedWord] = self._receive(connection)
        return words

    def kill(self) -> None:
        """Kills the process; a running call raises DecoderDiedError."""
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
            return connection.recv()
        except (EOFError, OSError) as error:
            raise DecoderDiedError from error


def _serve(connection: Connection, model: Path) -> None:
    """Answers utterances until the service closes the pipe or dies."""
    # Ctrl-C signals the whole process group; the service ends its decoders itself.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError):
        try:
            decoder = UtteranceDecoder(model)
        except RuntimeError as error:
            connection.send(str(error) or type(error).__name__)
            return
        connection.send("")
        while True:
            connection.send(decoder.decode(connection.recv_bytes()))
