"""An aligner in a separate process, which can be killed: the library holds the GIL."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from maie_alignment.engines.embedded.decoder import (
    FILLER_BEAM,
    AlignmentFailedError,
    SpokenWord,
    WordAligner,
)
from maie_alignment.engines.embedded.fillers import SpokenFiller

# A process started by fork would share the parent's event loop, threads and sockets.
_SPAWN = multiprocessing.get_context("spawn")
JOIN_SECONDS = 2.0


class AlignerDiedError(Exception):
    """The process ended before it answered."""


class ModelUnreadableError(Exception):
    """The library could not read the model."""


class AlignerProcess:
    """A process with one aligner. Its calls block; one at a time.

    Args:
        model: The model's directory.
    """

    def __init__(self, model: Path) -> None:
        self._connection, theirs = _SPAWN.Pipe()
        self._process: BaseProcess = _SPAWN.Process(
            target=_serve, args=(theirs, model), name="aligner", daemon=True
        )
        self._process.start()
        # Only the child keeps this end, so that its death closes the pipe.
        theirs.close()

    def load(self) -> None:
        """Waits until the model is loaded.

        Raises:
            ModelUnreadableError: The model is damaged.
            AlignerDiedError: The process ended.
        """
        if failure := self._receive():
            raise ModelUnreadableError(failure)

    def align(self, pcm: bytes, words: list[str]) -> list[SpokenWord] | None:
        """Aligns an utterance; see `WordAligner.align`.

        Returns:
            The words; None where they do not fit.

        Raises:
            AlignerDiedError: The process ended.
        """
        found: list[SpokenWord] | None = self._ask(pcm, words, fillers=False)
        return found

    def fillers(self, pcm: bytes, words: list[str]) -> list[SpokenFiller] | None:
        """Finds fillers between words; see `WordAligner.fillers`.

        Returns:
            What it finds; None where the words do not fit.

        Raises:
            AlignerDiedError: The process ended.
        """
        found: list[SpokenFiller] | None = self._ask(pcm, words, fillers=True)
        return found

    def kill(self) -> None:
        """Ends the process; a running call raises AlignerDiedError."""
        self._process.kill()
        self._process.join(JOIN_SECONDS)

    def _ask(self, pcm: bytes, words: list[str], *, fillers: bool) -> Any:
        try:
            self._connection.send((pcm, words, fillers))
        except OSError as error:
            raise AlignerDiedError from error
        return self._receive()

    def _receive(self) -> Any:
        try:
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise AlignerDiedError from error


def _serve(connection: Connection, model: Path) -> None:
    """Answers until the service closes the pipe or dies."""
    # Ctrl-C signals the whole process group; the service ends its aligners itself.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError):
        try:
            aligner = WordAligner(model)
        except RuntimeError as error:
            connection.send(str(error) or type(error).__name__)
            return
        connection.send("")
        # Another search has a decoder of its own, and most processes are never asked for it.
        listener: WordAligner | None = None
        while True:
            pcm, words, fillers = connection.recv()
            try:
                if fillers:
                    listener = listener or WordAligner(model, FILLER_BEAM)
                    connection.send(listener.fillers(pcm, words))
                else:
                    connection.send(aligner.align(pcm, words))
            except AlignmentFailedError:
                connection.send(None)
