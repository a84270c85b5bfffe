"""A room in memory: a typed fake of LiveKit, whose clock is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from maie_livekit.room import (
    AudioReceived,
    AudioTrack,
    Caption,
    PublishError,
    RoomError,
    RoomEvent,
    TrackSubscribed,
    TrackUnsubscribed,
)

RATE = 8000
FRAME_SECONDS = 0.1
FRAME_BYTES = 1600


def frame(word: str) -> bytes:
    """A frame of audio that a test can read."""
    assert len(word) == 4
    return word.encode() * (FRAME_BYTES // 4)


def word_of(content: bytes) -> str:
    """What a frame says."""
    return content[:4].decode()


def track(track_id: str, identity: str = "", *, muted: bool = False) -> AudioTrack:
    who = identity or f"who-{track_id}"
    return AudioTrack(
        track_id=track_id,
        identity=who,
        display_name=who.capitalize(),
        sample_rate_hertz=RATE,
        muted=muted,
    )


class MemoryRoom:
    """A room whose events a test makes.

    Attributes:
        now: The time of the last event.
        captions: What was published.
        is_open: Whether it takes text.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.captions: list[Caption] = []
        self.is_open = True
        self._events: asyncio.Queue[tuple[float, RoomEvent | RoomError | None]] = asyncio.Queue()
        self._latest = 0.0

    def clock(self) -> float:
        return self.now

    def happen(self, event: RoomEvent | RoomError, after: float = 0.0) -> None:
        """Something happens, so many seconds after what happened before."""
        self._latest += after
        self._events.put_nowait((self._latest, event))

    def subscribe(self, track_id: str, identity: str = "", *, muted: bool = False) -> None:
        self.happen(TrackSubscribed(track(track_id, identity, muted=muted)))

    def unsubscribe(self, track_id: str) -> None:
        self.happen(TrackUnsubscribed(track_id))

    def say(self, track_id: str, *words: str) -> None:
        """Audio comes, in time."""
        for word in words:
            self.happen(AudioReceived(track_id, frame(word)), after=FRAME_SECONDS)

    async def events(self) -> AsyncIterator[RoomEvent]:
        while True:
            self.now, event = await self._events.get()
            await asyncio.sleep(0)
            if event is None:
                return
            if isinstance(event, RoomError):
                raise event
            yield event

    def stop(self) -> None:
        self._events.put_nowait((self._latest, None))

    async def publish(self, caption: Caption) -> None:
        if not self.is_open:
            raise PublishError("it is closed")
        self.captions.append(caption)
