"""A long session is enhanced and summarised in chunks, as a recording is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_client import Client
from maie_gateway.live.ending.endings import end_session
from maie_gateway.live.ledger import Ledger, Make
from maie_gateway.records.store import JobStore
from maie_runtime.blobs import Blobs
from maie_runtime.bus.session_log import SessionLog
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import Conversation, config, talking
from tests.gateway.live.speech import word

pytestmark = pytest.mark.mesh

CLEAN = job.FEATURE_CLEAN_TRANSCRIPT
SUMMARY = job.FEATURE_SUMMARY
EVERYTHING = {
    "features": [job.FEATURE_RAW_TRANSCRIPT, CLEAN, SUMMARY],
    "template_id": "meeting_notes_v1",
}
HOURS = 3
# In this time each of three tracks says one utterance, of 27 s, 9 s after the one before.
ROUND_SECONDS = 30
ROUNDS = 3600 * HOURS // ROUND_SECONDS
# A chunk of 300 s takes those that begin in its first 273 s: in ten rounds these are 28.
UTTERANCES_PER_CHUNK = 28
CHUNKS = 39
SAID = {
    1: "the meeting is about the launch of the new product",
    181: "we decided to move the launch to june",
    ROUNDS: "sarah will send the contract to the customer by friday",
}


async def finished(client: Client, job_id: str) -> tuple[job.Job, list[str]]:
    """The job, and the units that ended with an output."""
    events = [each async for each in client.watch_job(job_id)]
    ended = [each.unit_ended for each in events if each.HasField("unit_ended")]
    done = events[-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE, done.failures
    return done, [each.unit for each in ended]


async def say_at(talk: Conversation, words: Mapping[int, int]) -> None:
    """Says words at some seconds."""
    now = 0.0
    for second, number in words.items():
        await talk.silence("ann", second - now)
        await talk.audio("ann", word(number))
        now = second + 0.4
    await talk.silence("ann", 1)


async def test_a_session_is_divided_at_its_pauses(live_mesh: LiveMesh) -> None:
    wanted = config(features=[CLEAN], chunk_duration=Duration(seconds=20))
    async with (
        live_mesh.text_stages(),
        live_mesh.running() as (address, _),
        talking(address) as talk,
        client_of(address) as client,
    ):
        started = await talk.start(wanted)
        assert started.config.job.chunk_duration.seconds == 20
        await say_at(talk, {1: 1, 15: 2, 19: 3, 22: 4, 300: 5})
        await talk.end()
        done, units = await finished(client, started.session_id)
    assert [unit for unit in units if unit.startswith("transcript")] == [
        "transcript.0000",
        "transcript.0001",
        "transcript.0002",
    ]
    assert sorted(unit for unit in units if unit.startswith("enhancement")) == [
        "enhancement.0000",
        "enhancement.0001",
        "enhancement.0002",
    ]
    finals = [each.final.segment for each in talk.of("final")]
    assert [each.text for each in done.results.segments] == ["w1", "w2", "w3", "w4", "w5"]
    assert [each.segment_id for each in done.results.segments] == [
        each.segment_id for each in finals
    ]
    assert [each.start_offset for each in done.results.segments] == [
        each.start_offset for each in finals
    ]


async def test_the_length_of_chunks_is_the_meshs_own_unless_a_client_names_one(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.talking(chunk_seconds=45) as (talk, _):
        assert (await talk.start()).config.job.chunk_duration.seconds == 45
        await talk.end()


async def write_hours(mesh: LiveMesh, session_id: str) -> Ledger:
    """Takes the session, and writes the finals of hours of three tracks into its log."""
    ledger = await Ledger.take(SessionLog(mesh.broker), session_id, "the test")
    assert ledger is not None
    for number in (1, 2, 3):
        began = session.TrackBegan(number=number, join=live.TrackJoin(track=f"t{number}"))
        await ledger.commit(always(session.SessionEntry(track_began=began)))
    for utterance in range(1, ROUNDS + 1):
        for number in (1, 2, 3):
            await ledger.commit(always(final(number, utterance)))
    return ledger


def always(entry: session.SessionEntry) -> Make:
    return lambda _: entry


def final(number: int, utterance: int) -> session.SessionEntry:
    """Somebody speaks at any time: nobody pauses without another who speaks."""
    begins = Duration(seconds=(utterance - 1) * ROUND_SECONDS + 9 * number)
    ends = Duration(seconds=begins.seconds + 27)
    text = SAID.get(utterance) if number == 1 else None
    segment = common.Segment(
        segment_id=f"t{number:02d}-u{utterance:04d}",
        start_offset=begins,
        end_offset=ends,
        text=text or f"item {utterance} is open for track {number}",
        track=number,
    )
    mark = session.TrackMark(
        number=number, settled_offset=ends, message_offset=ends, next_utterance=utterance + 1
    )
    spoken = live.Final(track=f"t{number}", segment=segment, language_code="en")
    return session.SessionEntry(finished=session.UtteranceFinished(final=spoken, mark=mark))


async def stored_chunks(mesh: LiveMesh, session_id: str) -> list[list[str]]:
    """The ids of the segments of each chunk."""
    stored = await JobStore(mesh.broker).get(session_id)
    blobs = Blobs(mesh.empty.mesh.blob_url)
    made = [
        await blobs.get_message(unit.output, common.Transcript)
        for unit in stored.record.units
        if unit.unit.startswith("transcript.")
    ]
    return [[segment.segment_id for segment in each.segments] for each in made]


async def test_hours_of_several_tracks_are_summarised_by_the_gateway_that_ends_them(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.text_stages():
        async with live_mesh.running() as (address, _), talking(address) as talk:
            started = await talk.start(config(**EVERYTHING))
        ledger = await write_hours(live_mesh, started.session_id)
        # The gateway that ended it died right after.
        await end_session(ledger)
        async with live_mesh.gateway(sweep_seconds=0.1) as other, client_of(other) as client:
            done, units = await finished(client, started.session_id)
    order = [f"t{number:02d}-u{each:04d}" for each in range(1, ROUNDS + 1) for number in (1, 2, 3)]
    assert [each.segment_id for each in done.results.segments] == order
    assert [each.track for each in done.results.segments] == [1, 2, 3] * ROUNDS
    assert done.metrics.input_duration.seconds == 3600 * HOURS + 24
    assert await stored_chunks(live_mesh, started.session_id) == [
        order[place : place + UTTERANCES_PER_CHUNK]
        for place in range(0, len(order), UTTERANCES_PER_CHUNK)
    ]
    for kind in ("transcript", "enhancement", "summary.map"):
        made = sorted(unit for unit in units if unit.startswith(f"{kind}."))
        assert made == [f"{kind}.{index:04d}" for index in range(CHUNKS)]
    times = {
        each.segment_id: (each.start_offset, each.end_offset) for each in done.results.segments
    }
    cited = {each.pointer: each for each in done.results.summary.citations}
    for pointer, utterance in (("/decisions/0", 181), ("/action_items/0", ROUNDS)):
        citation = cited[pointer]
        assert f"t01-u{utterance:04d}" in citation.segment_ids
        ranges = [(each.start_offset, each.end_offset) for each in citation.ranges]
        assert ranges == [times[segment_id] for segment_id in citation.segment_ids]
    assert times[f"t01-u{ROUNDS:04d}"][0].seconds == 3600 * HOURS - ROUND_SECONDS + 9
