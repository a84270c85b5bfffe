"""A decoder in a process of its own, which can be killed."""

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
# The search jumps about in 100 MB of models and lattices; with 4 KiB pages every seventh moment of
# its time goes into address translation. glibc 2.35 and later heed this, where the kernel's
# transparent huge pages are on `madvise`; elsewhere it does nothing.
HUGE_PAGES = "glibc.malloc.hugetlb=1"
JOIN_SECONDS = 2.0


class DecoderDiedError(Exception):
    """The process ended before it answered."""


class ModelUnreadableError(Exception):
    """The library could not read the model."""


class DecoderProcess:
    """A process that holds one decoder and starts when it is first needed.

    All but `kill` and `alive` block. One call at a time.

    Args:
        model: The model's directory.

    Attributes:
        busy: Whether it may be at work; kept by whoever calls it.
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
        """Whether it can take work: it runs, or was not started yet."""
        return not self._killed and (self._process is None or self._process.is_alive())

    def start(self) -> Connection:
        """Starts the process and loads the model, unless that was done.

        Raises:
            ModelUnreadableError: The model is damaged.
            DecoderDiedError: The process ended.
        """
        with self._lock:
            if self._killed:
                raise DecoderDiedError
            if self._connection is not None:
                return self._connection
            # A process reads its tunables once, as it starts: they must lie in what it inherits.
            os.environ.setdefault("GLIBC_TUNABLES", HUGE_PAGES)
            self._connection, theirs = _SPAWN.Pipe()
            self._process = _SPAWN.Process(
                target=_serve, args=(theirs, self._model), name="pocketsphinx", daemon=True
            )
            self._process.start()
            # The one copy that is left is the child's, so that its death ends the pipe.
            theirs.close()
        if failure := self._receive(self._connection):
            raise ModelUnreadableError(failure)
        return self._connection

    def decode(self, pcm: bytes) -> list[DecodedWord]:
        """Reads an utterance; see `UtteranceDecoder.decode`.

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
        """Ends the process, whatever it does; a call in hand raises DecoderDiedError."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def join(self) -> None:
        """Waits for the end of a process that was killed."""
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
    # A Ctrl-C reaches the whole group; the service decides when its decoders end.
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
