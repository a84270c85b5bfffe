"""Finals get their clean text while the session goes on: each once, after it, and never anew."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence

import grpc
import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason, WarningReason
from maie_gateway.live.refinement.unrefined import MOST_UNREFINED
from maie_runtime.bus.session_log import SessionLog
from maie_runtime.worker.stage import StageContext
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import Conversation, config, refined, talking
from tests.gateway.live.running import enhancement_process, gateway_process
from tests.gateway.live.speech import said, word
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

REFUSED = (grpc.StatusCode.INVALID_ARGUMENT, "OPTION_NOT_SUPPORTED")
# Three utterances, of which the second goes on with the sentence of the first.
WORDS = {1: "we have to talk about the", 2: "budget for next year", 3: "do we need more people"}
CLEAN = [
    "ann:We have to talk about the",
    "ann:budget for next year.",
    "ann:Do we need more people?",
]
# A machine under load may need longer than any session should wait.
PATIENT = {"refinement_end_seconds": float(PATIENCE_SECONDS)}
NEVER = 1e6


async def entries_of(mesh: LiveMesh, session_id: str) -> list[session.SessionEntry]:
    """The log of a session; each refinement in it is the only one of a final before it."""
    entries = [logged.entry for logged in await SessionLog(mesh.broker).read(session_id)]
    waiting: set[str] = set()
    for entry in entries:
        if entry.HasField("finished"):
            waiting.add(entry.finished.final.segment.segment_id)
        if entry.HasField("refinement"):
            waiting.remove(entry.refinement.utterance_id)
    return entries


async def finished_job(address: str, session_id: str) -> job.Job:
    async with client_of(address) as client:
        events = [each async for each in client.watch_job(session_id)]
    done = events[-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE
    return done


def in_order(talk: Conversation) -> Sequence[str]:
    """The finals and refinements as they came, such as "final t01-u0001"."""
    return [
        f"final {each.final.segment.segment_id}"
        if each.HasField("final")
        else f"refinement {each.refinement.utterance_id}"
        for each in talk.events
        if each.HasField("final") or each.HasField("refinement")
    ]


async def test_a_sentence_goes_on_where_its_speaker_paused(live_mesh: LiveMesh) -> None:
    running = live_mesh.running(refinement_wait_seconds=NEVER, **PATIENT)
    async with live_mesh.enhancement(), running as (address, first), talking(address) as talk:
        first.asr.vocabulary = WORDS
        started = await talk.start(refined())
        assert started.config.refinements
        await talk.audio("ann", said([1, 2, 3]))
        await talk.next("refinement", 2)
        assert talk.refinements() == CLEAN[:2]
        await talk.end()
        assert talk.refinements() == CLEAN
        numbers = [event.sequence for event in talk.events if event.sequence]
        assert numbers == list(range(1, 8))
        came = in_order(talk)
        for number in (1, 2, 3):
            name = f"t01-u{number:04d}"
            assert came.index(f"final {name}") < came.index(f"refinement {name}")
        await entries_of(live_mesh, started.session_id)
        done = await finished_job(address, started.session_id)
        assert done.results.clean_transcript == (
            "We have to talk about the budget for next year. Do we need more people?"
        )
        assert done.results.raw_transcript == "\n".join(WORDS.values())


async def test_a_final_waits_so_long_for_the_next_and_no_longer(live_mesh: LiveMesh) -> None:
    running = live_mesh.running(refinement_wait_seconds=0.0)
    async with live_mesh.enhancement(), running as (address, first), talking(address) as talk:
        first.asr.vocabulary = WORDS
        started = await talk.start(refined())
        for number in (1, 2):
            await talk.audio("ann", said([number]))
            await talk.next("refinement", number)
        alone = ["ann:We have to talk about the.", "ann:Budget for next year."]
        assert talk.refinements() == alone
        await talk.end()
        # The job has the text that was shown, and writes none anew.
        done = await finished_job(address, started.session_id)
        assert done.results.clean_transcript == ("We have to talk about the. Budget for next year.")
        engines = {each.stage: each.engine.engine for each in done.versions.stages}
        assert engines[common.STAGE_ENHANCEMENT] == "rules"


async def test_the_last_final_of_a_track_that_left_waits_for_nothing(live_mesh: LiveMesh) -> None:
    running = live_mesh.running(refinement_wait_seconds=NEVER, **PATIENT)
    async with live_mesh.enhancement(), running as (address, first), talking(address) as talk:
        first.asr.vocabulary = WORDS
        await talk.start(refined())
        await talk.audio("ann", said([3]))
        await talk.audio("bob", said([1]))
        await talk.next("final", 2)
        await talk.leave("ann")
        await talk.next("refinement")
        assert talk.refinements() == CLEAN[2:]
        await talk.audio("bob", said([2]))
        await talk.end()
        assert talk.refinements() == [
            CLEAN[2],
            "bob:We have to talk about the",
            "bob:budget for next year.",
        ]


async def test_refinements_are_of_the_clean_transcript(live_mesh: LiveMesh) -> None:
    raw_only = config()
    raw_only.refinements = True
    async with live_mesh.enhancement(), live_mesh.talking() as (talk, _):
        await talk.send(start=live.StartSession(config=raw_only))
        assert await talk.failure() == REFUSED


async def test_a_mesh_without_enhancement_refuses_them(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, _):
        await talk.send(start=live.StartSession(config=refined()))
        assert await talk.failure() == REFUSED


async def test_who_does_not_ask_gets_none(live_mesh: LiveMesh) -> None:
    running = live_mesh.running(refinement_wait_seconds=0.0)
    unasked = refined()
    unasked.refinements = False
    async with live_mesh.enhancement(), running as (address, first), talking(address) as talk:
        first.asr.vocabulary = WORDS
        started = await talk.start(unasked)
        await talk.audio("ann", said([1, 2, 3]))
        await talk.end()
        assert not talk.of("refinement")
        done = await finished_job(address, started.session_id)
        assert done.results.clean_transcript == (
            "We have to talk about the budget for next year. Do we need more people?"
        )


async def test_punctuated_finals_are_as_they_should_be(live_mesh: LiveMesh) -> None:
    running = live_mesh.running(refinement_wait_seconds=0.0, **PATIENT)
    async with live_mesh.enhancement(), running as (address, first), talking(address) as talk:
        first.asr.vocabulary = {1: "Is it done?", 2: ""}
        first.asr.punctuated = True
        started = await talk.start(refined())
        await talk.audio("ann", said([1]))
        await talk.next("final")
        first.asr.punctuated = False
        await talk.audio("bob", said([2, 3]))
        await talk.end()
        # What is no text has none, either.
        assert talk.refinements() == ["bob:W3."]
        done = await finished_job(address, started.session_id)
        assert done.results.clean_transcript == "Is it done?\n\nW3."


async def test_a_gateway_killed_before_a_refinement_leaves_it_to_the_next(
    live_mesh: LiveMesh,
) -> None:
    fault = {"MAIE_FAULT": "session.before_refinement:kill"}
    async with live_mesh.replica() as first, live_mesh.enhancement():
        first.asr.vocabulary = WORDS
        dying = gateway_process(live_mesh.empty, **fault)
        async with dying as (address, process), talking(address) as talk:
            started = await talk.start(refined())
            await talk.audio("ann", said([1, 2]) + word(3))
            await talk.failure()
            await process.wait()
            assert not talk.of("refinement")
        finals = len(talk.of("final"))
        async with live_mesh.gateway(**PATIENT) as address, talking(address) as again:
            resumed = await again.resume(started, after=finals)
            again.sent["ann"] = durable = resumed.tracks[0].durable_sequence
            sound = said([1, 2]) + word(3)
            await again.audio("ann", sound[durable * 3200 :])
            await again.end()
            assert again.refinements() == CLEAN
            numbers = [event.sequence for event in again.events if event.sequence]
            assert numbers == list(range(finals + 1, 8))
            await entries_of(live_mesh, started.session_id)


async def test_a_session_that_nobody_resumes_leaves_them_to_its_job(live_mesh: LiveMesh) -> None:
    fault = {"MAIE_FAULT": "session.before_refinement:kill"}
    async with live_mesh.replica() as first, live_mesh.enhancement():
        first.asr.vocabulary = WORDS
        dying = gateway_process(live_mesh.empty, **fault)
        async with dying as (address, process), talking(address) as talk:
            started = await talk.start(refined())
            await talk.audio("ann", said([1, 2]))
            await talk.failure()
            await process.wait()
        another = live_mesh.gateway(resume_seconds=1.0, sweep_seconds=0.1)
        async with another as address:
            done = await finished_job(address, started.session_id)
            assert done.results.clean_transcript.startswith("We have to talk about the")
        entries = await entries_of(live_mesh, started.session_id)
        assert not any(entry.HasField("refinement") for entry in entries)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_an_enhancement_replica_that_fails_delays_refinements_alone(
    live_mesh: LiveMesh, how: signal.Signals
) -> None:
    settings = {"refinement_wait_seconds": 0.0, "refinement_seconds": 1.0, **PATIENT}
    async with live_mesh.running(**settings) as (address, first):
        first.asr.vocabulary = WORDS
        async with enhancement_process(live_mesh.empty) as process, talking(address) as talk:
            await until_enhanced(address)
            await talk.start(refined())
            await talk.audio("ann", said([3]))
            await talk.next("refinement")
            os.kill(process.pid, how)
            await talk.audio("ann", said([3, 3]))
            await talk.next("final", 3)
            assert len(talk.of("refinement")) == 1
            async with live_mesh.enhancement():
                await talk.next("refinement", 3)
                await talk.end()
                assert talk.refinements() == [CLEAN[2]] * 3
                assert not talk.of("warning")


async def until_enhanced(address: str) -> None:
    """Waits until the gateway knows of an enhancement replica."""
    async with client_of(address) as client, asyncio.timeout(PATIENCE_SECONDS):
        while not any(
            each.workers
            for each in (await client.get_mesh()).stages
            if each.stage == common.STAGE_ENHANCEMENT
        ):
            await asyncio.sleep(0.05)


async def test_the_end_waits_for_no_dead_replica(live_mesh: LiveMesh) -> None:
    settings = {"refinement_seconds": NEVER, "refinement_end_seconds": 0.1}
    async with live_mesh.running(**settings) as (address, first):
        first.asr.vocabulary = WORDS
        async with enhancement_process(live_mesh.empty) as process, talking(address) as talk:
            await until_enhanced(address)
            started = await talk.start(refined())
            os.kill(process.pid, signal.SIGSTOP)
            await talk.audio("ann", said([1, 2, 3]))
            ended = await talk.end()
            assert (ended.final_count, talk.refinements()) == (3, [])
            process.kill()
            async with live_mesh.enhancement():
                done = await finished_job(address, started.session_id)
                assert done.results.clean_transcript == (
                    "We have to talk about the budget for next year. Do we need more people?"
                )


async def test_too_many_finals_leave_the_oldest_to_the_job(live_mesh: LiveMesh) -> None:
    count = MOST_UNREFINED + 3
    settings = {"refinement_seconds": NEVER, "refinement_end_seconds": 0.1}
    async with (
        live_mesh.running(**settings) as (address, _),
        enhancement_process(live_mesh.empty) as process,
        talking(address) as talk,
    ):
        await until_enhanced(address)
        started = await talk.start(refined())
        os.kill(process.pid, signal.SIGSTOP)
        await talk.audio("ann", said([number % 2 + 1 for number in range(count)]), 1.0)
        await talk.next("final", count)
        os.kill(process.pid, signal.SIGCONT)
        await talk.next("refinement", MOST_UNREFINED - 1)
        await talk.next("warning")
        await talk.end()
        names = [each.refinement.utterance_id for each in talk.of("refinement")]
        assert len(set(names)) == len(names) >= MOST_UNREFINED - 1
        assert names == sorted(names)
        (warned,) = talk.of("warning")
        assert warned.warning.warning.reason == WarningReason.REFINEMENTS_LATE
        done = await finished_job(address, started.session_id)
        assert all(segment.clean_text for segment in done.results.segments)
        assert len(done.results.segments) == count


async def test_what_an_engine_refuses_is_left_to_the_job(live_mesh: LiveMesh) -> None:
    async def fails(_: StageContext) -> None:
        raise StageError(Code.INTERNAL, Reason.ENGINE_FAILED, "No.")

    stage = live_mesh.empty.stages["enhancement"]
    stage.hook = fails
    running = live_mesh.running(refinement_wait_seconds=0.0, **PATIENT)
    async with (
        live_mesh.empty.service("enhancement"),
        running as (address, _),
        talking(address) as talk,
    ):
        await until_enhanced(address)
        await talk.start(refined())
        for number in (1, 2):
            await talk.audio("ann", said([number]))
            await talk.next("final", number)
            await until(lambda: len(stage.runs) >= number)  # noqa: B023
        await talk.end()
        # The job has units of its own, and may have begun by now.
        assert [unit for unit, _ in stage.runs].count("direct") == 2
        assert not talk.of("refinement")
        (warned,) = talk.of("warning")
        assert warned.warning.warning.reason == WarningReason.REFINEMENTS_LATE
        assert not warned.warning.track_dropped
