"""Standard output and standard error with errors that can be explained.

Imports nothing heavy: the streams are opened first.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDOUT = 1
STDERR = 2


class OutputError(OSError):
    """Standard output cannot be written: the disk behind it is full, or it is closed."""


class _Output(io.FileIO):
    """Standard output, whose errors name it."""

    def write(self, data: ReadableBuffer) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise  # the reader has closed the pipe, which is no error
        except OSError as error:
            raise OutputError(error.errno, error.strerror, "standard output") from None


class _Messages(io.FileIO):
    """Standard error. Messages that cannot be written are lost, without an error."""

    def write(self, data: ReadableBuffer) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def open_streams() -> None:
    """Reopens standard output and standard error; closed ones cannot be written.

    A character that is not in the terminal's encoding becomes a question mark.
    """
    sys.stdout = _opened(_Output(_open(STDOUT), "w", closefd=False), sys.stdout)
    sys.stderr = _opened(_Messages(_open(STDERR), "w", closefd=False), sys.stderr)


def close_output() -> None:
    """Flushes standard output.

    Raises:
        OSError: The rest cannot be written, and is dropped.
    """
    try:
        sys.stdout.flush()
    except OSError:
        # Python flushes again at its end, and would print its own error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
        raise


def _open(number: int) -> int:
    """Prevents the next opened file from getting a closed stream's descriptor."""
    try:
        os.fstat(number)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_RDONLY), number)
    return number


def _opened(raw: io.FileIO, before: TextIO | None) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before is not None else None,
        errors="replace",
        line_buffering=raw.isatty() or raw.fileno() == STDERR,
    )
