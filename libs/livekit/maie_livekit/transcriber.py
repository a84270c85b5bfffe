"""Feeds a room's audio to a live session, and its text back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from maie.live.v1 import live_pb2 as live
from maie_client import ClientError, LiveSession, StatusCode
from maie_client.live.errors import is_without_place
from maie_livekit.feed import TrackFeed
from maie_livekit.places import Places
from maie_livekit.publisher import Publisher
from maie_livekit.room import (
    AudioReceived,
    AudioTrack,
    ParticipantLeft,
    Room,
    RoomError,
    RoomEvent,
    TrackMuted,
    TrackSubscribed,
    TrackUnsubscribed,
)
from maie_livekit.speakers import Speakers

# The interval between looks for gaps, which are silence.
TICK_SECONDS = 0.5


class Watcher(Protocol):
    """Sees what happens in a session."""

    def show(self, event: live.TranscribeResponse) -> None:
        """Called with each event of the session."""
        ...

    def note(self, message: str) -> None:
        """Called with sentences for people."""
        ...


class Transcriber:
    """Transcribes a room, to its end.

    Args:
        room: The room.
        session: A session that has begun.
        speakers: Where to note who speaks.
        watcher: What sees the session's events.
        publish: Whether to show the text to the room's participants.
        clock: A steady clock, in seconds.

    Attributes:
        complete: Whether all that the room had is in the session; False until its end,
            and where somebody else ended the session.
    """

    def __init__(
        self,
        room: Room,
        session: LiveSession,
        speakers: Speakers,
        watcher: Watcher,
        *,
        publish: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.complete = False
        self._room = room
        self._session = session
        self._speakers = speakers
        self._watcher = watcher
        self._publisher = (
            Publisher(room, speakers, session.session_id, watcher.note) if publish else None
        )
        self._clock = clock
        self._places = Places(session.started.max_tracks)
        self._feeds: dict[str, TrackFeed] = {}
        self._carrying: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, AudioTrack] = {}
        self._lost: RoomError | None = None

    @property
    def held(self) -> int:
        """How many tracks it holds anything of, but for their names."""
        return len(self._feeds) + len(self._carrying) + len(self._waiting) + self._places.taken

    async def run(self) -> live.SessionEnded:
        """Transcribes until the room ends or is stopped; then ends the session.

        Raises:
            ClientError: The session cannot go on.
            RoomError: The connection to the room is lost for good. The session is ended.
        """
        try:
            async with asyncio.TaskGroup() as group:
                ended = await self._run(group)
        except ExceptionGroup as errors:
            raise _first(errors) from None
        if self._lost is not None:
            raise self._lost
        return ended

    async def _run(self, group: asyncio.TaskGroup) -> live.SessionEnded:
        reading = group.create_task(self._read(group))
        ticking = group.create_task(self._tick())
        try:
            async for event in self._room.events():
                self._take(event, group)
        except RoomError as error:  # what was said until then is transcribed
            self._lost = error
        ticking.cancel()
        self._waiting.clear()
        for track_id in list(self._feeds):
            self._unsubscribed(track_id)
        if self._carrying:
            await asyncio.wait(self._carrying.values())
        self.complete = not reading.done()
        ended = await self._session.end()
        await reading
        return ended

    async def _read(self, group: asyncio.TaskGroup) -> None:
        """Reads the session's events, to its end."""
        async for event in self._session:
            self._follow(event, group)
            self._watcher.show(event)
            if self._publisher is not None:
                await self._publisher.take(event)
        if not self.complete:
            self._watcher.note("somebody else has ended the session")
            self._room.stop()

    def _follow(self, event: live.TranscribeResponse, group: asyncio.TaskGroup) -> None:
        """Keeps count of the session's places."""
        if event.HasField("acknowledged"):
            self._places.settle(event.acknowledged.tracks)
        elif event.HasField("started"):
            self._places.settle(event.started.tracks)
        elif event.warning.track_dropped and not is_without_place(event.warning.warning.reason):
            self._places.drop(event.warning.track)
        self._admit(group)

    async def _tick(self) -> None:
        """Adds silence where no audio comes."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for feed in self._feeds.values():
                feed.fill(self._clock())

    def _take(self, event: RoomEvent, group: asyncio.TaskGroup) -> None:
        match event:
            case TrackSubscribed(track):
                self._subscribed(track, group)
            case TrackUnsubscribed(track_id):
                self._unsubscribed(track_id)
            case TrackMuted(track_id, muted):
                self._muted(track_id, muted=muted)
            case AudioReceived(track_id, samples):
                if (feed := self._feeds.get(track_id)) is not None:
                    feed.audio(samples, self._clock())
            case ParticipantLeft(identity):
                self._left(identity)

    def _subscribed(self, track: AudioTrack, group: asyncio.TaskGroup) -> None:
        self._unsubscribed(track.track_id)  # where the room subscribes again without a word
        if not self._places.take(track.track_id):
            self._waiting[track.track_id] = track
            self._watcher.note(
                f"the session has as many tracks as it may have; {track.display_name} waits until "
                "another leaves"
            )
            return
        self._speakers.add(track)
        feed = self._feeds[track.track_id] = TrackFeed(track, self._clock())
        before = self._carrying.get(track.track_id)
        carrying = group.create_task(self._carry(feed, before))
        self._carrying[track.track_id] = carrying

    def _unsubscribed(self, track_id: str) -> None:
        self._waiting.pop(track_id, None)
        if (feed := self._feeds.pop(track_id, None)) is not None:
            feed.fill(self._clock())
            feed.end()
            self._speakers.remove(track_id)

    def _muted(self, track_id: str, *, muted: bool) -> None:
        if (feed := self._feeds.get(track_id)) is not None:
            feed.mute(muted, self._clock())
        elif (track := self._waiting.get(track_id)) is not None:
            self._waiting[track_id] = replace(track, muted=muted)

    def _left(self, identity: str) -> None:
        tracks = [*(feed.track for feed in self._feeds.values()), *self._waiting.values()]
        for track in tracks:
            if track.identity == identity:
                self._unsubscribed(track.track_id)

    async def _carry(self, feed: TrackFeed, before: asyncio.Task[None] | None) -> None:
        """Sends a track to the session, after an earlier subscription of it."""
        if before is not None:
            await asyncio.wait([before])
        name = feed.track.track_id
        try:
            self._places.leave(name, await feed.carry(self._session))
        except ClientError as error:
            # Of this track alone, which the watcher saw a warning of; or somebody else's end.
            if error.code is not StatusCode.FAILED_PRECONDITION:
                raise
            self._give_up(feed)
        if feed.dropped_seconds:
            self._watcher.note(
                f"{feed.dropped_seconds:.0f} s of {feed.track.display_name} found no room: the "
                "mesh took audio too slowly"
            )
        if self._carrying.get(name) is asyncio.current_task():
            del self._carrying[name]

    def _give_up(self, feed: TrackFeed) -> None:
        name = feed.track.track_id
        self._places.drop(name)
        if self._feeds.get(name) is feed:
            del self._feeds[name]
            self._speakers.remove(name)

    def _admit(self, group: asyncio.TaskGroup) -> None:
        """Lets tracks in that wait for a place, while there is one."""
        for track in list(self._waiting.values()):
            if not self._places.is_free:
                return
            del self._waiting[track.track_id]
            self._subscribed(track, group)


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    """The first error of a group, however deep."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
