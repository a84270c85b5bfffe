"""What a client receives: in order, and durable events once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from maie.live.v1 import live_pb2 as live
from maie_client.live.errors import call_ended, session_ended


class Inbox:
    """The events of a session that nobody has read yet.

    A partial, a lag and an acknowledgement that nobody has read give way to the
    next of the same track and channel, so that a caller who reads late costs no memory.

    Attributes:
        sequence: The last durable event that was received.
        read_sequence: The last durable event that was read.
        ended: The end of the session, once it was received.
        summary: Its summary, or why there is none, once that was received.
    """

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.read_sequence = sequence
        self.ended: live.SessionEnded | None = None
        self.summary: live.SessionSummary | None = None
        self._unread: OrderedDict[object, live.TranscribeResponse] = OrderedDict()
        self._number = 0
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._over = asyncio.Event()
        self._error: Exception | None = None

    @property
    def unread(self) -> int:
        """How many events nobody has read yet."""
        return len(self._unread)

    def put(self, event: live.TranscribeResponse) -> None:
        """Takes an event; drops a durable one that came before.

        Raises:
            ClientError: UNAVAILABLE where a durable event before this one is
                missing; the call that resumes the session gets it.
        """
        if event.sequence and event.sequence <= self.sequence:
            return
        if event.sequence > self.sequence + 1:
            raise call_ended(f"The gateway left out event {self.sequence + 1}")
        self.sequence = max(self.sequence, event.sequence)
        if event.HasField("ended"):
            self.ended = event.ended
            self._ended.set()
        if event.HasField("summary"):
            self.summary = event.summary
        self._number += 1
        key = _replaceable(event) or self._number
        event = _merged(self._unread.pop(key, None), event)
        self._unread[key] = event
        self._news.set()

    def close(self, error: Exception | None = None) -> None:
        """Ends the events, with an error or without. Does nothing the second time."""
        if not self._over.is_set():
            self._error = error
            self._ended.set()
            self._over.set()
            self._news.set()

    async def end(self, *, at_once: bool) -> live.SessionEnded:
        """Waits for the session's end.

        Args:
            at_once: Whether more may follow it.

        Raises:
            ClientError: What ended it otherwise.
        """
        await (self._ended if at_once else self._over).wait()
        if self.ended is None:
            raise self._error or session_ended()
        return self.ended

    async def final_summary(self) -> live.SessionSummary:
        """Waits for the summary.

        Raises:
            ClientError: What ended the session otherwise; FAILED_PRECONDITION with
                SESSION_ENDED where nobody asked to wait for it.
        """
        await self._over.wait()
        if self.summary is None:
            raise self._error or session_ended()
        return self.summary

    async def next(self) -> live.TranscribeResponse | None:
        """The next event, or None after the last.

        Raises:
            ClientError: What ended the session.
        """
        while not self._unread:
            if self._over.is_set():
                if self._error is not None:
                    raise self._error
                return None
            self._news.clear()
            await self._news.wait()
        _, event = self._unread.popitem(last=False)
        self.read_sequence = max(self.read_sequence, event.sequence)
        return event


def _replaceable(event: live.TranscribeResponse) -> tuple[str, str, int] | None:
    match event.WhichOneof("event"):
        case "partial":
            return ("partial", event.partial.track, event.partial.channel)
        case "lag":
            return ("lag", event.lag.track, event.lag.channel)
        case "acknowledged":
            return ("acknowledged", "", 0)
        case _:
            return None


def _merged(
    old: live.TranscribeResponse | None, new: live.TranscribeResponse
) -> live.TranscribeResponse:
    """Joins acknowledgements, which name only the tracks that went on."""
    if old is not None and new.HasField("acknowledged"):
        tracks = {track.track: track for track in old.acknowledged.tracks}
        tracks.update({track.track: track for track in new.acknowledged.tracks})
        merged = live.TranscribeResponse(event_time=new.event_time)
        merged.acknowledged.tracks.extend(tracks.values())
        return merged
    return new
