"""Rooms of a LiveKit server, by LiveKit's own SDK: all that knows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from livekit import api, rtc

from maie_livekit.room import (
    AudioReceived,
    AudioTrack,
    Caption,
    ParticipantLeft,
    PublishError,
    RoomError,
    RoomEvent,
    TrackMuted,
    TrackSubscribed,
    TrackUnsubscribed,
)

TOPIC: Final = "lk.transcription"
SEGMENT: Final = "lk.segment_id"
FINAL: Final = "lk.transcription_final"
TRACK: Final = "lk.transcribed_track_id"

# What the mesh recognises; the SDK converts to it.
RATE_HERTZ: Final = 16_000
CHANNELS: Final = 1
FRAME_MILLISECONDS: Final = 100

_ENDS = frozenset(
    {
        rtc.DisconnectReason.CLIENT_INITIATED,
        rtc.DisconnectReason.PARTICIPANT_REMOVED,
        rtc.DisconnectReason.ROOM_CLOSED,
        rtc.DisconnectReason.ROOM_DELETED,
    }
)


def access_token(key: str, secret: str, room: str, identity: str) -> str:
    """A token to join a room: as an agent, who may publish text and no media.

    A LiveKit server lets only agents publish text in another participant's name. A room
    with nobody but agents closes.

    Args:
        key: The API key of the server.
        secret: Its secret.
        room: The room's name.
        identity: Who joins; a participant of that name is removed.
    """
    grants = api.VideoGrants(
        room_join=True, room=room, can_publish=False, can_subscribe=True, can_publish_data=True
    )
    token = api.AccessToken(key, secret).with_identity(identity).with_name("maie")
    return token.with_kind("agent").with_grants(grants).to_jwt()


@asynccontextmanager
async def joined(url: str, token: str) -> AsyncIterator[LiveKitRoom]:
    """Joins a room, and leaves it at the end.

    Args:
        url: The server, such as wss://livekit.example.com.
        token: Of `access_token`.

    Raises:
        RoomError: The room cannot be joined.
    """
    room = LiveKitRoom(rtc.Room())
    try:
        await room.join(url, token)
        yield room
    finally:
        await room.leave()


async def audio_of(track: rtc.Track) -> AsyncGenerator[bytes, None]:
    """Yields the audio of a track as it comes, in samples for the mesh."""
    stream = rtc.AudioStream.from_track(
        track=track,
        sample_rate=RATE_HERTZ,
        num_channels=CHANNELS,
        frame_size_ms=FRAME_MILLISECONDS,
    )
    try:
        async for event in stream:
            yield bytes(event.frame.data.cast("B"))
    finally:
        await stream.aclose()


class LiveKitRoom:
    """A room of a LiveKit server; see `joined`.

    Args:
        room: The SDK's room, not connected.
    """

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._events: asyncio.Queue[RoomEvent | RoomError | None] = asyncio.Queue()
        self._listening: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room.on("track_published", self._on_published)
        self._room.on("track_subscribed", self._on_subscribed)
        self._room.on("track_unsubscribed", self._on_unsubscribed)
        self._room.on("track_muted", self._on_muted)
        self._room.on("track_unmuted", self._on_unmuted)
        self._room.on("participant_disconnected", self._on_left)
        self._room.on("disconnected", self._on_disconnected)

    async def join(self, url: str, token: str) -> None:
        """Joins the room, and subscribes to all audio and no video.

        Raises:
            RoomError: The room cannot be joined.
        """
        try:
            await self._room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
        except rtc.ConnectError as error:
            raise RoomError(
                f"The room at {url} cannot be joined: {error.message}. Check the address, the API "
                "key and the secret."
            ) from error
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._on_published(publication)

    async def leave(self) -> None:
        """Leaves the room."""
        for listening in self._tasks:
            listening.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.disconnect()

    async def events(self) -> AsyncIterator[RoomEvent]:
        """Yields what happens, up to the room's end or `stop`.

        Raises:
            RoomError: The connection is lost for good.
        """
        while (event := await self._events.get()) is not None:
            if isinstance(event, RoomError):
                raise event
            yield event

    def stop(self) -> None:
        """Ends the events."""
        self._events.put_nowait(None)

    async def publish(self, caption: Caption) -> None:
        """Sends a text stream in the speaker's name, with the attributes of transcriptions.

        Raises:
            PublishError: The room does not take it.
        """
        if not self._room.isconnected():
            raise PublishError("it is not connected")
        try:
            writer = await self._room.local_participant.stream_text(
                topic=TOPIC,
                sender_identity=caption.identity,
                attributes={
                    SEGMENT: caption.segment_id,
                    FINAL: str(caption.final).lower(),
                    TRACK: caption.track_id,
                },
            )
            await writer.write(caption.text)
            await writer.aclose()
        except rtc.StreamError as error:
            raise PublishError(str(error)) from error

    def _on_published(self, publication: rtc.RemoteTrackPublication) -> None:
        if publication.kind == rtc.TrackKind.KIND_AUDIO:
            publication.set_subscribed(True)

    def _on_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if publication.kind == rtc.TrackKind.KIND_AUDIO:
            self._put(TrackSubscribed(_audio_track(publication, participant)))
            self._stop_listening(publication.sid)
            listening = asyncio.create_task(self._listen(publication.sid, track))
            self._listening[publication.sid] = listening
            self._tasks.add(listening)
            listening.add_done_callback(self._listened)

    def _on_unsubscribed(self, track: object, publication: rtc.RemoteTrackPublication) -> None:
        self._stop_listening(publication.sid)
        self._put(TrackUnsubscribed(publication.sid))

    def _on_muted(self, participant: object, publication: rtc.TrackPublication) -> None:
        self._put(TrackMuted(publication.sid, muted=True))

    def _on_unmuted(self, participant: object, publication: rtc.TrackPublication) -> None:
        self._put(TrackMuted(publication.sid, muted=False))

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        self._put(ParticipantLeft(participant.identity))

    def _on_disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        if reason in _ENDS:
            self.stop()
        else:
            name = rtc.DisconnectReason.Name(reason)
            self._put(RoomError(f"The connection to the room is lost: {name}. Join it again."))

    def _put(self, event: RoomEvent | RoomError) -> None:
        self._events.put_nowait(event)

    def _stop_listening(self, track_id: str) -> None:
        if (listening := self._listening.pop(track_id, None)) is not None:
            listening.cancel()

    def _listened(self, listening: asyncio.Task[None]) -> None:
        self._tasks.discard(listening)
        if not listening.cancelled() and (error := listening.exception()) is not None:
            self._put(RoomError(f"The room gives no audio of a track: {error}. Join it again."))

    async def _listen(self, track_id: str, track: rtc.Track) -> None:
        async with aclosing(audio_of(track)) as audio:
            async for samples in audio:
                self._put(AudioReceived(track_id, samples))


def _audio_track(
    publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
) -> AudioTrack:
    name = participant.name or participant.identity
    is_screen = publication.source == rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO
    return AudioTrack(
        track_id=publication.sid,
        identity=participant.identity,
        display_name=f"{name} (screen)" if is_screen else name,
        sample_rate_hertz=RATE_HERTZ,
        channels=CHANNELS,
        muted=publication.muted,
    )
