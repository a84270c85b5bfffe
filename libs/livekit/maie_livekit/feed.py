"""The audio of a track on its way from a room to a session."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta

from maie_client import LiveSession, linear16
from maie_livekit.room import AudioTrack
from maie_livekit.timeline import Timeline

_SAMPLE_BYTES = 2
# Audio of just before a participant muted comes a little later than the notice.
MUTE_GRACE_SECONDS = 0.3
# Beyond what the client keeps itself. Longer than the client tries to reach a gateway.
MOST_WAITING_SECONDS = 600.0
# The contract's limit is one hour.
MOST_SILENCE_SECONDS = 3000.0


class TrackFeed:
    """The audio of a track, from when it is subscribed until it is not.

    It takes audio as it comes and without waiting; `carry` sends it as fast as the
    session takes it. All times are in seconds of one steady clock.

    Args:
        track: The track.
        now: When it is subscribed.
        most_waiting: The most audio to keep, in seconds, beyond what the session keeps.

    Attributes:
        dropped_seconds: The audio that found no room, and is silence instead.
    """

    def __init__(
        self, track: AudioTrack, now: float, most_waiting: float = MOST_WAITING_SECONDS
    ) -> None:
        self.track = track
        self._most_waiting = most_waiting
        self.dropped_seconds = 0.0
        self._second_bytes = track.sample_rate_hertz * track.channels * _SAMPLE_BYTES
        self._timeline = Timeline(now)
        self._muted_since = now - MUTE_GRACE_SECONDS if track.muted else None
        self._items: deque[bytes | float] = deque()  # samples, or seconds of silence
        self._waiting_seconds = 0.0
        self._ended = False
        self._news = asyncio.Event()

    def audio(self, samples: bytes, now: float) -> None:
        """Takes the next audio. What comes of a muted track is dropped."""
        if self._is_muted(now):
            return
        seconds = len(samples) / self._second_bytes
        self.fill(now - seconds)
        if self._waiting_seconds + seconds > self._most_waiting:
            self.dropped_seconds += seconds
            self._add_silence(seconds)
        else:
            self._waiting_seconds += seconds
            self._items.append(samples)
        self._timeline.add(seconds, now)
        self._news.set()

    def fill(self, now: float) -> None:
        """Adds the silence that the track lacks up to now."""
        if gap := self._timeline.gap(now):
            self._add_silence(gap)
            self._timeline.add(gap, now)
            self._news.set()

    def mute(self, muted: bool, now: float) -> None:
        """Mutes or unmutes the track."""
        if not muted:
            self._muted_since = None
        elif self._muted_since is None:
            self._muted_since = now

    def end(self) -> None:
        """Takes no more; what is there is still sent."""
        self._ended = True
        self._news.set()

    async def carry(self, session: LiveSession) -> int:
        """Sends the track to a session, to its end.

        Returns:
            The number of the track's last message.

        Raises:
            ClientError: The session cannot go on.
        """
        name = self.track.track_id
        await session.join(
            name,
            display_name=self.track.display_name,
            format=linear16(self.track.sample_rate_hertz, self.track.channels),
        )
        while (item := await self._next()) is not None:
            if isinstance(item, bytes):
                await session.send(item, name)
                self._waiting_seconds -= len(item) / self._second_bytes
            else:
                await session.silence(timedelta(seconds=item), name)
        return await session.leave(name)

    async def _next(self) -> bytes | float | None:
        while not self._items:
            if self._ended:
                return None
            self._news.clear()
            await self._news.wait()
        return self._items.popleft()

    def _is_muted(self, now: float) -> bool:
        return self._muted_since is not None and now >= self._muted_since + MUTE_GRACE_SECONDS

    def _add_silence(self, seconds: float) -> None:
        last = self._items[-1] if self._items else b""
        if isinstance(last, float) and last + seconds <= MOST_SILENCE_SECONDS:
            self._items[-1] = last + seconds
        else:
            self._items.append(seconds)
