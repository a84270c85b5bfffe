"""What the transcriber knows of a room: its events, and how to publish text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(kw_only=True, frozen=True, slots=True)
class AudioTrack:
    """An audio track of a participant.

    Attributes:
        track_id: Names the track in its room; up to 64 characters.
        identity: The participant.
        display_name: Who speaks, for people.
        sample_rate_hertz: Samples per second and channel, 8000 to 48000.
        channels: How many channels are interleaved, 1 to 8.
        muted: Whether it is muted when it is subscribed.
    """

    track_id: str
    identity: str
    display_name: str
    sample_rate_hertz: int = 16_000
    channels: int = 1
    muted: bool = False


@dataclass(frozen=True, slots=True)
class TrackSubscribed:
    """Audio of a track comes from now on."""

    track: AudioTrack


@dataclass(frozen=True, slots=True)
class TrackUnsubscribed:
    """No more audio of a track comes."""

    track_id: str


@dataclass(frozen=True, slots=True)
class TrackMuted:
    """A participant mutes a track, or unmutes it."""

    track_id: str
    muted: bool


@dataclass(frozen=True, slots=True)
class AudioReceived:
    """The next audio of a track, which has just been played.

    Attributes:
        track_id: The track.
        samples: Whole samples of 16-bit little-endian PCM, in the track's format.
    """

    track_id: str
    samples: bytes


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """A participant has left, with all tracks."""

    identity: str


RoomEvent = TrackSubscribed | TrackUnsubscribed | TrackMuted | AudioReceived | ParticipantLeft


@dataclass(kw_only=True, frozen=True, slots=True)
class Caption:
    """The text of an utterance.

    Attributes:
        track_id: The track that it is on.
        identity: The participant who says it.
        segment_id: Names the utterance; a later caption with that id replaces an
            earlier one.
        text: All of the utterance's text so far.
        final: Whether the utterance is over.
    """

    track_id: str
    identity: str
    segment_id: str
    text: str
    final: bool


class RoomError(Exception):
    """A room cannot be joined, or the connection to it is lost for good."""


class PublishError(Exception):
    """A room does not take text."""


class Room(Protocol):
    """A room that is joined."""

    def events(self) -> AsyncIterator[RoomEvent]:
        """Yields what happens, in order, up to the room's end or `stop`.

        Raises:
            RoomError: The connection is lost for good.
        """
        ...

    def stop(self) -> None:
        """Ends the events. Text can be published until the room is left."""
        ...

    async def publish(self, caption: Caption) -> None:
        """Shows text to all participants.

        Raises:
            PublishError: The room does not take it.
        """
        ...
