"""Where live audio comes from."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final, Protocol

from maie.live.v1 import live_pb2 as live
from maie_cli.live.thread import DaemonThread

RATE_HERTZ: Final = 16_000
PIECE_SECONDS: Final = 0.1
SAMPLE_BYTES: Final = 2

Pieces = Generator[bytes, None, None]
Opened = tuple[live.AudioFormat, Pieces]


class SourceError(OSError):
    """Audio cannot be had; says what to do."""


class Source(Protocol):
    """The audio of one track.

    Attributes:
        name: Who speaks, for people.
        paced: Whether it comes in real time by itself.
    """

    name: str
    paced: bool

    async def open(self) -> live.AudioFormat:
        """Opens it.

        Raises:
            OSError: It cannot be read.
        """
        ...

    async def read(self) -> bytes:
        """The next whole samples; nothing at the end.

        Raises:
            OSError: It cannot be read.
        """
        ...

    async def close(self) -> None:
        """Closes it."""
        ...


class ThreadSource:
    """Audio that a blocking function reads, on a thread of its own.

    Args:
        name: Who speaks.
        opening: Opens it: the format of the audio, and pieces of it.
    """

    paced = False

    def __init__(self, name: str, opening: Callable[[], Opened]) -> None:
        self.name = name
        self._opening = opening
        self._thread = DaemonThread("maie-audio")
        self._pieces: Pieces | None = None

    async def open(self) -> live.AudioFormat:
        """Opens it on the thread."""
        format_, self._pieces = await self._thread.run(self._opening)
        return format_

    async def read(self) -> bytes:
        """Reads the next piece on the thread."""
        assert self._pieces is not None
        pieces = self._pieces
        return await self._thread.run(lambda: next(pieces, b""))

    async def close(self) -> None:
        """Ends the thread, after what it reads now."""
        self._thread.stop(self._close_pieces)

    def _close_pieces(self) -> None:
        if self._pieces is not None:
            self._pieces.close()


def piece_frames(rate_hertz: int) -> int:
    """The samples of each channel in a piece."""
    return max(1, round(rate_hertz * PIECE_SECONDS))
