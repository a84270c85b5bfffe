"""What a client sends: numbered, and kept until it is durable."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from maie.live.v1 import live_pb2 as live
from maie_client.live.errors import call_ended, nothing_after_end
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
        self._waiting: Counter[str] = Counter()
        self._aside: set[str] = set()
        self._given_up: dict[str, Exception] = {}
        self._closed: Exception | None = None

    @property
    def kept_bytes(self) -> int:
        """The bytes of all messages that are kept."""
        return sum(self._bytes.values())

    async def add(self, track: str, request: live.TranscribeRequest, most_bytes: int) -> int:
        """Adds a message about a track; waits while the track has no room.

        Args:
            track: The track.
            request: The message, which gets its track and number.
            most_bytes: The most bytes to keep of the track.

        Returns:
            The message's number.

        Raises:
            ClientError: The session is over, its end was sent, or the track was
                given up.
        """
        size = len(request.audio.content) + MESSAGE_BYTES
        self._waiting[track] += 1
        try:
            async with self._room:
                await self._room.wait_for(lambda: self._accepts(track, size, most_bytes))
        finally:
            self._waiting -= Counter([track])  # keeps nothing of a track for which nobody waits
        self._check_open()
        if track in self._given_up:
            raise self._given_up[track]
        about: Any = getattr(request, request.WhichOneof("request") or "audio")
        about.track = track
        about.sequence = self._numbers[track] = self._numbers.get(track, 0) + 1
        entry = self._queue(request, about.sequence, size)
        self._kept[entry.place] = entry
        self._of_track.setdefault(track, deque()).append(entry)
        self._bytes[track] = self._bytes.get(track, 0) + size
        return entry.sequence

    def set_aside(self, track: str) -> None:
        """Notes that a track goes no further in this call, and does in the next."""
        self._aside.add(track)

    async def give_up(self, track: str, error: Exception) -> None:
        """Drops a track that cannot be recognised; adding to it raises the error."""
        self._given_up[track] = error
        await self._drop(track, None)

    def configure(self, change: live.ConfigureSession) -> None:
        """Adds a change of options.

        Raises:
            ClientError: The session is over, or its end was sent.
        """
        self._check_open()
        entry = self._queue(live.TranscribeRequest(configure=change))
        self._kept[entry.place] = entry

    def end(self, *, without_summary: bool, await_summary: bool) -> None:
        """Adds the last message. Does nothing when it was added before."""
        if self._end is None and self._closed is None:
            self._end = live.EndSession(
                without_summary=without_summary, await_summary=await_summary
            )
            self._queue(live.TranscribeRequest(end=self._end))

    @property
    def has_end(self) -> bool:
        """Whether the last message was added, or can be no more."""
        return self._end is not None or self._closed is not None

    async def next(self, seconds: float) -> live.TranscribeRequest | None:
        """The next message to send, or None where none comes within these seconds.

        Raises:
            ClientError: UNAVAILABLE: a track that was set aside has no more room,
                so that a new call is needed.
        """
        if any(self._waiting[track] for track in self._aside):
            raise call_ended("No ASR replica had room for a track")
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
        self._aside.clear()
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
            await self._drop(track.track, track.durable_sequence)

    async def close(self, error: Exception) -> None:
        """Ends the session: adding something raises the error."""
        self._closed = self._closed or error
        self._kept.clear()
        self._of_track.clear()
        self._bytes.clear()
        async with self._room:
            self._room.notify_all()

    async def _drop(self, track: str, up_to: int | None) -> None:
        """Keeps nothing more of a track up to a message, or nothing at all."""
        kept = self._of_track.get(track, deque())
        while kept and (up_to is None or kept[0].sequence <= up_to):
            entry = kept.popleft()
            del self._kept[entry.place]
            self._bytes[track] -= entry.size
        if not kept:
            self._of_track.pop(track, None)
            self._bytes.pop(track, None)
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
        is_over = self._closed is not None or self._end is not None
        return not used or used + size <= most_bytes or is_over

    def _check_open(self) -> None:
        if self._closed is not None:
            raise self._closed
        if self._end is not None:
            raise nothing_after_end()
