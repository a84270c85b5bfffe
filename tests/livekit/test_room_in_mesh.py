"""A room in memory at a real gateway, with a replica of a typed engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from itertools import groupby

import pytest

from maie_client import Client
from maie_livekit.room import AudioReceived, AudioTrack, TrackMuted, TrackSubscribed
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.speech import pieces, said
from tests.livekit.memory_room import MemoryRoom
from tests.livekit.transcribing import transcribing_at
from tests.waiting import until

pytestmark = pytest.mark.mesh


def join(room: MemoryRoom, track_id: str) -> None:
    room.happen(TrackSubscribed(AudioTrack(track_id=track_id, identity="p", display_name="P")))


def speak(room: MemoryRoom, track_id: str, words: Iterable[int]) -> None:
    for piece in pieces(said(words)):
        room.happen(AudioReceived(track_id, piece), after=0.1)


async def test_captions_of_an_utterance_share_an_id_and_the_last_is_final(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.running() as (address, _), transcribing_at(address) as parts:
        join(parts.room, "TR_ann")
        speak(parts.room, "TR_ann", [1, 2])
        parts.room.stop()
        ended = await parts.running
        session = parts.session.session_id
    assert ended.final_count == 2
    captions = parts.room.captions
    final = [(each.segment_id, each.text) for each in captions if each.final]
    assert final == [
        (f"{session}-t01-u000{number}", text)
        for number, text in enumerate(parts.watching.finals(), start=1)
    ]
    for segment in dict.fromkeys(each.segment_id for each in captions):
        shown = [each.final for each in captions if each.segment_id == segment]
        assert shown == [False] * (len(shown) - 1) + [True]


async def test_a_muted_track_ends_its_utterance_at_once(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), transcribing_at(address) as parts:
        join(parts.room, "TR_ann")
        for piece in list(pieces(said([1])))[:3]:  # cut off within the word
            parts.room.happen(AudioReceived("TR_ann", piece), after=0.1)
        parts.room.happen(TrackMuted("TR_ann", muted=True))
        parts.room.happen(TrackMuted("TR_ann", muted=True), after=1.0)
        await until(parts.watching.finals)  # by the silence of a tick; the track goes on
        parts.room.stop()
        await parts.running


async def test_a_track_that_finds_no_place_waits_for_one(live_mesh: LiveMesh) -> None:
    async with (
        live_mesh.running(max_tracks=2) as (address, _),
        transcribing_at(address) as parts,
    ):
        for name in ("TR_1", "TR_2", "TR_3"):
            join(parts.room, name)
            speak(parts.room, name, [1])
        await until(lambda: len(parts.watching.finals()) == 2)
        assert [note.split(";")[1] for note in parts.watching.notes] == [
            " P waits until another leaves"
        ]
        parts.room.unsubscribe("TR_1")
        await until(lambda: "TR_3" in parts.speakers)
        speak(parts.room, "TR_3", [2])
        await until(lambda: len(parts.watching.finals()) == 3)
        parts.room.stop()
        ended = await parts.running
    assert ended.final_count == 3


async def test_a_session_that_somebody_else_ends_ends_the_transcription(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.running() as (address, _), transcribing_at(address) as parts:
        join(parts.room, "TR_ann")
        speak(parts.room, "TR_ann", [1, 2])
        await until(parts.watching.finals)
        async with Client(address) as client:
            await client.cancel_job(parts.session.session_id)
        await parts.running
        assert not parts.transcriber.complete
    assert parts.watching.notes == ["somebody else has ended the session"]


async def test_a_gateway_that_stops_costs_the_room_nothing(live_mesh: LiveMesh) -> None:
    async with live_mesh.replica(), live_mesh.gateway() as second, AsyncExitStack() as stack:
        first = await stack.enter_async_context(live_mesh.gateway())
        async with transcribing_at(first, second) as parts:
            join(parts.room, "TR_ann")
            speak(parts.room, "TR_ann", [1, 2])
            await until(parts.watching.finals)
            stopping = asyncio.create_task(stack.aclose())
            speak(parts.room, "TR_ann", [3, 4])
            await stopping
            speak(parts.room, "TR_ann", [5])
            parts.room.stop()
            await parts.running
        assert parts.transcriber.complete
    assert sum(each.HasField("started") for each in parts.watching.events) == 2
    # A gateway that stops ends the utterance that goes on, so that a word may be divided.
    said_once = [word for word, _ in groupby(parts.watching.finals())]
    assert said_once == [f"w{number}" for number in range(1, 6)]
    assert [each.text for each in parts.room.captions if each.final] == parts.watching.finals()
