"""The messages of a track on their way into its backlogs, read one after another."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maie_gateway.live.marks import Mark
from maie_gateway.live.recognition.backlog import Backlog
from maie_gateway.live.tracks.channel_feed import ChannelFeed, Clipped, Taken
from maie_gateway.live.tracks.track_reader import Read, TrackReader

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
    """Reads the messages of a track and adds what they become to the backlogs of its channels.

    Args:
        reader: Reads the audio.
        backlogs: Get what the messages become: for each channel that is recognised its own.
        begin: Where the track goes on.
        notify: Called when the backlogs have more.
        clipped: Called where the audio of a channel is clipped; see `ChannelFeed`.

    Attributes:
        received: The sequence of the last message.
    """

    def __init__(
        self,
        reader: TrackReader,
        backlogs: Sequence[Sequence[Backlog]],
        begin: Mark,
        notify: Callable[[], None],
        clipped: Clipped,
    ) -> None:
        self.received = self._read = begin.sequence
        self._reader = reader
        self._backlogs = backlogs
        self._feeds = [
            ChannelFeed(each, place, len(backlogs), begin, clipped)
            for place, each in enumerate(backlogs)
        ]
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
        for feed in self._feeds:
            feed.add(self._taken(message, read))
        self._notify()

    def _end(self) -> None:
        """Gives out what is held back, at the end of the track."""
        self._ended = True
        self._messages.clear()
        self._unread = 0
        # What could not be read is not durable with what came before it.
        last = self._taken(
            _Message(sequence=self._read, arrived=time.monotonic()), self._reader.rest()
        )
        for backlogs, feed in zip(self._backlogs, self._feeds, strict=True):
            if backlogs[0].holds_any:
                feed.add(last)
            # A leave is durable with the entry that says that the track has ended, not before.
            for backlog in backlogs:
                backlog.received = self.received
        self._reader.close()

    def _taken(self, message: _Message, read: Read) -> Taken:
        return Taken(
            sequence=message.sequence,
            arrived=message.arrived,
            parts=read.parts,
            length=read.length,
            finalize=message.finalize,
            state=self._reader.state,
        )
