"""The messages of a track on their way into its backlog, read one after another."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from maie_audio.formats import Part
from maie_core.samples import SAMPLE_BYTES
from maie_gateway.live.backlog import MOST_AUDIO, Backlog
from maie_gateway.live.track_reader import Read, TrackReader

# The most bytes of audio that wait to be read.
MOST_UNREAD = 256 * 1024


@dataclass(kw_only=True, frozen=True, slots=True)
class _Message:
    sequence: int
    arrived: float
    content: bytes = b""
    silence: int = 0
    finalize: bool = False


class TrackIntake:
    """Reads the messages of a track and adds what they become to its backlog.

    Args:
        reader: Reads the audio.
        backlog: Gets what the messages become.
        notify: Called when the backlog has more.

    Attributes:
        received: The sequence of the last message.
    """

    def __init__(self, reader: TrackReader, backlog: Backlog, notify: Callable[[], None]) -> None:
        self.received = self._read = backlog.received
        self._reader = reader
        self._backlog = backlog
        self._notify = notify
        self._messages: deque[_Message] = deque()
        self._unread = 0
        self._news = asyncio.Event()
        self._closed = self._ended = False

    @property
    def is_full(self) -> bool:
        """Whether no more audio should be put in."""
        return self._unread >= MOST_UNREAD

    def put(
        self, sequence: int, *, content: bytes = b"", silence: int = 0, finalize: bool = False
    ) -> None:
        """Takes a message.

        Args:
            sequence: Its sequence, one after the last.
            content: Its audio, in the track's encoding.
            silence: How many samples of silence it stands for.
            finalize: Whether it ends the utterance.
        """
        self.received = sequence
        if self._ended:
            return
        self._unread += len(content)
        self._messages.append(
            _Message(
                sequence=sequence,
                arrived=time.monotonic(),
                content=content,
                silence=silence,
                finalize=finalize,
            )
        )
        self._news.set()

    def close(self) -> None:
        """Says that nothing follows; `run` returns once everything is read."""
        self._closed = True
        self._news.set()

    async def run(self) -> None:
        """Reads messages until it is closed.

        Raises:
            StageError: As `TrackReader.read`; what came before is in the backlog.
        """
        try:
            while self._messages or not self._closed:
                self._news.clear()
                while self._messages:
                    await self._take(self._messages.popleft())
                if not self._closed:
                    await self._news.wait()
        finally:
            self._end()

    async def _take(self, message: _Message) -> None:
        if message.content:
            read = await self._reader.read(message.content)
        elif message.silence:
            before = await self._reader.silence()
            read = Read(
                parts=[*before.parts, message.silence], length=before.length + message.silence
            )
        else:
            read = self._reader.rest()
        self._unread -= len(message.content)
        self._read = message.sequence
        self._add(message, read)
        self._notify()

    def _end(self) -> None:
        """Gives out what is held back, at the end of the track."""
        self._ended = True
        self._messages.clear()
        self._unread = 0
        if self._backlog.holds_any:
            # What could not be read is not durable with what came before it.
            last = _Message(sequence=self._read, arrived=time.monotonic())
            self._add(last, self._reader.rest())
        # A leave is durable with the entry that says that the track has ended, not before.
        self._backlog.received = self.received
        self._reader.close()

    def _add(self, message: _Message, read: Read) -> None:
        """Adds what a message became, part by part; only after the last one is it durable."""
        parts = list(_pieces(read.parts)) or [b""]
        for number, part in enumerate(parts, start=1):
            is_last = number == len(parts)
            pcm, silence = (b"", part) if isinstance(part, int) else (part, 0)
            self._backlog.add(
                message.sequence,
                read.length if is_last else 0,
                pcm=pcm,
                silence=silence,
                finalize=message.finalize and is_last,
                arrived=message.arrived,
                last=is_last,
                state=self._reader.state,
            )


def _pieces(parts: list[Part]) -> Iterator[Part]:
    """The parts, none of them longer than a message to a replica may be."""
    size = MOST_AUDIO * SAMPLE_BYTES
    for part in parts:
        if isinstance(part, int):
            yield part
        else:
            for place in range(0, len(part), size):
                yield part[place : place + size]
