"""Random access to a recording. Runs in the decoder."""

from __future__ import annotations

import os
from typing import BinaryIO


class Reader:
    """Reads a file without moving the file position that FFmpeg uses.

    Args:
        source: The file.

    Attributes:
        size: Its size in bytes.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._descriptor = source.fileno()
        self.size = os.fstat(self._descriptor).st_size

    def at(self, offset: int, count: int) -> bytes:
        """Reads up to `count` bytes; fewer at the end of the file, none outside it."""
        return os.pread(self._descriptor, count, offset) if 0 <= offset < self.size else b""
