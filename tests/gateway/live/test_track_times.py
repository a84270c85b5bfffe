"""A client can place what comes in the audio of its own track."""

from __future__ import annotations

import pytest

from maie.live.v1 import live_pb2 as live
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import Conversation, talking
from tests.gateway.live.speech import said

pytestmark = pytest.mark.mesh

# Before the first word of `said`.
PAUSE_MILLISECONDS = 100


def begins(tracks: list[live.TrackProgress]) -> dict[str, int]:
    """Where tracks begin, in nanoseconds from the session's beginning."""
    return {
        each.track: each.begin_offset.ToNanoseconds()
        for each in tracks
        if each.HasField("begin_offset")
    }


def acknowledged(talk: Conversation) -> dict[str, int]:
    tracks = [each for event in talk.of("acknowledged") for each in event.acknowledged.tracks]
    return begins(tracks)


async def test_offsets_less_the_tracks_begin_are_times_of_its_audio(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), talking(address) as talk:
        started = await talk.start()
        assert begins(list(started.tracks)) == {}
        for name in ("ann", "ben"):  # one begins after the other
            await talk.audio(name, said([1]))
            await talk.received(name, talk.sent[name])
        finals = {each.final.track: each.final for each in await talk.next("final", 2)}
        known = acknowledged(talk)
        assert 0 < known["ann"] < known["ben"]
        for name, final in finals.items():
            own = final.segment.start_offset.ToNanoseconds() - known[name]
            assert own == PAUSE_MILLISECONDS * 1_000_000
        last = max(each.sequence for each in talk.events)
        talk.call.cancel()
        async with talking(address) as again:
            resumed = await again.resume(started, last)
            assert begins(list(resumed.tracks)) == known
            again.sent |= {each.track: each.received_sequence for each in resumed.tracks}
            await again.leave("ann")
            assert (await again.end()).final_count == 2


async def test_a_track_says_where_it_begins_before_its_first_text(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), talking(address) as talk:
        await talk.start()
        await talk.audio("ann", said([1]))
        await talk.end()  # sooner than progress is told
        kinds = [each.WhichOneof("event") for each in talk.events]
        first_text = min(kinds.index(kind) for kind in ("partial", "final") if kind in kinds)
        told = [each.acknowledged.tracks for each in talk.events[:first_text]]
        assert begins([track for tracks in told for track in tracks]).keys() == {"ann"}
