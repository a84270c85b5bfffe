"""What a client sends: numbered, and kept until it is durable."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from maie.live.v1 import live_pb2 as live
from maie_client.live.errors import nothing_after_end
from maie_client.live.sent_options import SentOptions

# What a message without audio counts, so that endless silence is bounded, too.
MESSAGE_BYTES = 64


@dataclass(kw_only=True, frozen=True, slots=True)
class Entry:
    """A message to send.

    Attributes:
        place: Its place in the order of all messages.
        request: The message.
        sequence: Its number in its track; 0 for one that is about no track.
        size: What it counts, in bytes.
    """

    place: int
    request: live.TranscribeRequest
    sequence: int = 0
    size: int = 0


class Outbox:
    """The messages of a session, in order.

    A message about a track stays until it is durable, and is sent again in each
    call before that. Options are kept as they are now; each call begins with
    them.
    """

    def __init__(self) -> None:
        self._kept: dict[int, Entry] = {}  # in the order of all messages
        self._of_track: dict[str, deque[Entry]] = {}
        self._bytes: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._unsent: deque[Entry] = deque()
        self._options = SentOptions()
        self._end: live.EndSession | None = None
        self._place = 0
        self._news = asyncio.Event()
        self._room = asyncio.Condition()
        self._closed: Exception | None = None

    @property
    def kept_bytes(self) -> int:
        """The bytes of all messages that are kept."""
        return sum(self._bytes.values())

    async def add(self, track: str, request: live.TranscribeRequest, most_bytes: int) -> None:
        """Adds a message about a track; waits while the track has no room.

        Args:
            track: The track.
            request: The message, which gets its track and number.
            most_bytes: The most bytes to keep of the track.

        Raises:
            ClientError: The session is over, or its end was sent.
        """
        size = len(request.audio.content) + MESSAGE_BYTES
        async with self._room:
            await self._room.wait_for(lambda: self._accepts(track, size, most_bytes))
        self._check_open()
        about: Any = getattr(request, request.WhichOneof("request") or "audio")
        about.track = track
        about.sequence = self._numbers[track] = self._numbers.get(track, 0) + 1
        entry = self._queue(request, about.sequence, size)
        self._kept[entry.place] = entry
        self._of_track.setdefault(track, deque()).append(entry)
        self._bytes[track] = self._bytes.get(track, 0) + size

    def configure(self, change: live.ConfigureSession) -> None:
        """Adds a change of options.

        Raises:
            ClientError: The session is over, or its end was sent.
        """
        self._check_open()
        entry = self._queue(live.TranscribeRequest(configure=change))
        self._kept[entry.place] = entry

    def end(self, *, without_summary: bool) -> None:
        """Adds the last message. Does nothing when it was added before."""
        if self._end is None and self._closed is None:
            self._end = live.EndSession(without_summary=without_summary)
            self._queue(live.TranscribeRequest(end=self._end))

    async def next(self, seconds: float) -> live.TranscribeRequest | None:
        """The next message to send, or None where none comes within these seconds."""
        if not self._unsent:
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return None
        entry = self._unsent.popleft()
        if entry.request.HasField("configure") and entry.place in self._kept:
            del self._kept[entry.place]
            self._options.change(entry.request.configure)
        return entry.request

    async def rewind(self, progress: Iterable[live.TrackProgress]) -> None:
        """Begins a new call: what is not durable is sent again.

        Args:
            progress: Where the gateway says that each track goes on.
        """
        progress = list(progress)
        for track in progress:  # of an earlier process
            self._numbers.setdefault(track.track, track.durable_sequence)
        await self.settle(progress)
        self._unsent = deque(Entry(place=0, request=each) for each in self._options.requests())
        self._unsent.extend(self._kept.values())
        if self._end is not None:
            self._queue(live.TranscribeRequest(end=self._end))
        self._news.set()

    async def settle(self, progress: Iterable[live.TrackProgress]) -> None:
        """Drops what is durable, and makes room."""
        for track in progress:
            kept = self._of_track.get(track.track, deque())
            while kept and kept[0].sequence <= track.durable_sequence:
                entry = kept.popleft()
                del self._kept[entry.place]
                self._bytes[track.track] -= entry.size
            if not kept:
                self._of_track.pop(track.track, None)
                self._bytes.pop(track.track, None)
        async with self._room:
            self._room.notify_all()

    async def close(self, error: Exception) -> None:
        """Ends the session: whoever adds something gets the error."""
        self._closed = self._closed or error
        self._kept.clear()
        self._of_track.clear()
        self._bytes.clear()
        async with self._room:
            self._room.notify_all()

    def _queue(self, request: live.TranscribeRequest, sequence: int = 0, size: int = 0) -> Entry:
        self._place += 1
        entry = Entry(place=self._place, request=request, sequence=sequence, size=size)
        self._unsent.append(entry)
        self._news.set()
        return entry

    def _accepts(self, track: str, size: int, most_bytes: int) -> bool:
        used = self._bytes.get(track, 0)
        return not used or used + size <= most_bytes or self._is_over

    @property
    def _is_over(self) -> bool:
        return self._closed is not None or self._end is not None

    def _check_open(self) -> None:
        if self._closed is not None:
            raise self._closed
        if self._end is not None:
            raise nothing_after_end()
