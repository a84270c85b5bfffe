"""LiveKit's own SDK, as far as it goes without a server."""

from __future__ import annotations

import asyncio
import socket
from contextlib import aclosing

import pytest
from livekit import api, rtc
from livekit.rtc._proto import participant_pb2, track_pb2

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
from maie_livekit.sdk import FRAME_MILLISECONDS, LiveKitRoom, access_token, audio_of, joined

pytestmark = pytest.mark.unit

SECRET = "of a test, and as long as it must be"


def test_a_token_joins_one_room_as_an_agent_who_publishes_text_alone() -> None:
    token = access_token("key", SECRET, "standup", "maie")
    claims = api.TokenVerifier("key", SECRET).verify(token)
    assert (claims.identity, claims.kind) == ("maie", "agent")
    grants = claims.video
    assert grants is not None
    assert (grants.room_join, grants.room) == (True, "standup")
    assert (grants.can_publish, grants.can_subscribe, grants.can_publish_data) == (
        False,
        True,
        True,
    )
    assert not grants.room_admin
    assert not grants.hidden  # people see who takes down what they say


async def test_a_server_that_does_not_answer_is_a_sentence() -> None:
    with socket.socket() as taken:  # a port where nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RoomError, match=f"The room at {url} cannot be joined: .*refused"):
            async with joined(url, access_token("key", SECRET, "standup", "maie")):
                pass


async def test_audio_comes_in_the_format_of_the_mesh_whatever_the_track_has() -> None:
    source = rtc.AudioSource(48_000, 2)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    async with aclosing(audio_of(track)) as audio:
        first = asyncio.create_task(anext(audio))
        for _ in range(40):
            await source.capture_frame(rtc.AudioFrame(b"\1\2" * 960, 48_000, 2, 480))
        assert len(await first) == 16 * FRAME_MILLISECONDS * 2
    await source.aclose()


def participant() -> rtc.RemoteParticipant:
    info = participant_pb2.ParticipantInfo(identity="ann", name="Ann")
    return rtc.RemoteParticipant(participant_pb2.OwnedParticipant(info=info))


def publication() -> rtc.RemoteTrackPublication:
    info = track_pb2.TrackPublicationInfo(sid="TR_1", kind=rtc.TrackKind.KIND_AUDIO)
    return rtc.RemoteTrackPublication(track_pb2.OwnedTrackPublication(info=info))


@pytest.fixture
async def room() -> rtc.Room:
    return rtc.Room()


async def test_what_the_sdk_reports_becomes_an_event(room: rtc.Room) -> None:
    ours = LiveKitRoom(room)
    room.emit("track_muted", participant(), publication())
    room.emit("track_unmuted", participant(), publication())
    room.emit("track_unsubscribed", None, publication(), participant())
    room.emit("participant_disconnected", participant())
    room.emit("disconnected", rtc.DisconnectReason.ROOM_DELETED)
    events: list[RoomEvent] = [event async for event in ours.events()]
    assert events == [
        TrackMuted("TR_1", muted=True),
        TrackMuted("TR_1", muted=False),
        TrackUnsubscribed("TR_1"),
        ParticipantLeft("ann"),
    ]


async def test_a_track_that_is_subscribed_is_listened_to_until_it_is_not(room: rtc.Room) -> None:
    ours = LiveKitRoom(room)
    source = rtc.AudioSource(48_000, 1)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    room.emit("track_subscribed", track, publication(), participant())
    events = ours.events()
    assert await anext(events) == TrackSubscribed(
        AudioTrack(track_id="TR_1", identity="ann", display_name="Ann")
    )
    hearing = asyncio.ensure_future(anext(events))
    while not hearing.done():
        await source.capture_frame(rtc.AudioFrame(b"\1\2" * 480, 48_000, 1, 480))
    heard = hearing.result()
    assert isinstance(heard, AudioReceived)
    assert heard.track_id == "TR_1"
    room.emit("track_unsubscribed", track, publication(), participant())
    while (event := await anext(events)) != TrackUnsubscribed("TR_1"):
        assert isinstance(event, AudioReceived)
    await ours.leave()
    await source.aclose()


async def test_a_track_that_gives_no_audio_is_an_error_and_no_silence(room: rtc.Room) -> None:
    ours = LiveKitRoom(room)
    gone = rtc.RemoteAudioTrack(track_pb2.OwnedTrack())
    room.emit("track_subscribed", gone, publication(), participant())
    events = ours.events()
    assert isinstance(await anext(events), TrackSubscribed)
    with pytest.raises(RoomError, match="The room gives no audio of a track"):
        await anext(events)


@pytest.mark.parametrize("reason", rtc.DisconnectReason.values())
async def test_each_reason_of_a_disconnect_is_an_end_or_a_loss(
    room: rtc.Room, reason: rtc.DisconnectReason.ValueType
) -> None:
    ours = LiveKitRoom(room)
    room.emit("disconnected", reason)
    name = rtc.DisconnectReason.Name(reason)
    if name in {"CLIENT_INITIATED", "PARTICIPANT_REMOVED", "ROOM_CLOSED", "ROOM_DELETED"}:
        assert [event async for event in ours.events()] == []
    else:
        with pytest.raises(RoomError, match=name):
            await anext(ours.events())


async def test_text_for_a_room_that_is_not_connected_is_refused(room: rtc.Room) -> None:
    caption = Caption(track_id="TR_1", identity="ann", segment_id="s", text="text", final=True)
    with pytest.raises(PublishError):
        await LiveKitRoom(room).publish(caption)
