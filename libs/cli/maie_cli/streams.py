"""Standard output and standard error that fail in a way that can be explained.

Nothing heavy is imported here: the streams are opened before all else.
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
            raise  # whoever read has had enough, which is no error
        except OSError as error:
            raise OutputError(error.errno, error.strerror, "standard output") from None


class _Messages(io.FileIO):
    """Standard error. What cannot be written is lost: no work ends because of it."""

    def write(self, data: ReadableBuffer) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def open_streams() -> None:
    """Opens standard output and standard error anew; closed ones cannot be written.

    A letter that a terminal's encoding lacks is shown as a question mark.
    """
    sys.stdout = _opened(_Output(_open(STDOUT), "w", closefd=False), sys.stdout)
    sys.stderr = _opened(_Messages(_open(STDERR), "w", closefd=False), sys.stderr)


def close_output() -> None:
    """Writes what is left for standard output.

    Raises:
        OSError: It cannot be written, and is dropped.
    """
    try:
        sys.stdout.flush()
    except OSError:
        # Python flushes once more when it ends, and would complain in its own words.
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
        raise


def _open(number: int) -> int:
    """Keeps the number of a closed stream from becoming that of the next file."""
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
