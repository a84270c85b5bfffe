"""Warnings from every stage reach results and watchers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Unpack

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_client import Client, JobOptions
from maie_core.reasons import WarningReason
from maie_core.result_warnings import COUNTED_REASONS, result_warning
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.gateway.pages import page, samples

pytestmark = pytest.mark.mesh

EVERYTHING = ("raw_transcript", "clean_transcript", "summary")
TEMPLATE = "meeting_notes_v1"
Answer = Callable[[Any, StageContext, int], Sequence[Any]]


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def process(client: Client, **options: Unpack[JobOptions]) -> list[job.JobEvent]:
    """All events of a job, to its end."""
    return [event async for event in client.process(recording(), **options)]


def warned(events: Sequence[job.JobEvent]) -> list[common.Warning]:
    return [event.warning for event in events if event.WhichOneof("event") == "warning"]


def also(answer: Answer, change: Callable[[Any], None]) -> Answer:
    """The same answer with something more in its result."""

    def changed(request: Any, context: StageContext, chunks: int) -> Sequence[Any]:
        responses = answer(request, context, chunks)
        change(responses[-1].result)
        return responses

    return changed


def adds(reason: WarningReason) -> Callable[[Any], None]:
    def change(result: Any) -> None:
        result.warnings.append(result_warning(reason, f"A sentence about {reason}."))

    return change


def misses_a_second(transcript: common.Transcript) -> None:
    """Chunk i has speech without text at second 10 i, and a text that was taken out."""
    start = transcript.segments[0].start_offset.seconds
    unread = transcript.unread.add()
    unread.start_offset.FromSeconds(start)
    unread.end_offset.FromSeconds(start + 1)
    removed = transcript.suspect_texts.add(text="invented", removed=True)
    removed.range.start_offset.FromSeconds(start + 2)
    removed.range.end_offset.FromSeconds(start + 3)
    transcript.reread_count = 1


def warning_mesh(mesh: EmptyMesh) -> None:
    mesh.stages = empty_stages(chunks=2)
    for slug, change in {
        "preprocess": adds(WarningReason.TRUNCATED),
        "asr": misses_a_second,
        "enhancement": misses_a_second,
    }.items():
        mesh.stages[slug].answer = also(mesh.stages[slug].answer, change)

    def of_summary(result: Any) -> None:
        if result.HasField("summary"):
            adds(WarningReason.LANGUAGE_NOT_SUMMARIZED)(result)

    mesh.stages["summary"].answer = also(mesh.stages["summary"].answer, of_summary)


async def test_results_hold_the_warnings_of_recording_text_and_summary_in_this_order(
    empty_mesh: EmptyMesh,
) -> None:
    warning_mesh(empty_mesh)
    async with empty_mesh.running() as client:
        events = await process(client, features=EVERYTHING, template_id=TEMPLATE)
        done = events[-1].finished.job
        assert [each.reason for each in done.results.warnings] == [
            "TRUNCATED",
            *("UNREAD_SPEECH", "TEXT_REMOVED", "UNREAD_SPEECH", "TEXT_REMOVED"),
            "LANGUAGE_NOT_SUMMARIZED",
        ]
        assert [each.start_offset.seconds for each in done.results.unread] == [0, 10]
        assert [each.text for each in done.results.suspect_texts] == ["invented"] * 2
        assert done.metrics.unread_duration.seconds == 2
        assert done.metrics.reread_count == 2
        # Each is sent once, although ASR and enhancement both carry those of the text.
        heard = warned(events)
        assert sorted(map(str, heard)) == sorted(map(str, done.results.warnings))
        assert all(not event.sequence for event in events if event.HasField("warning"))
        again = [event async for event in client.watch_job(done.job_id)]
        assert warned(again) == heard


async def test_a_warned_recording_counts_once_for_each_reason(empty_mesh: EmptyMesh) -> None:
    warning_mesh(empty_mesh)

    def adds_what_nobody_knows(result: Any) -> None:
        result.warnings.add(reason="as many labels as a worker likes")

    preprocess = empty_mesh.stages["preprocess"]
    preprocess.answer = also(preprocess.answer, adds_what_nobody_knows)
    port = empty_mesh.measure_gateway()
    async with empty_mesh.running() as client:
        # Both chunks of each have unread speech and suspect text, before and after enhancement.
        for _ in range(2):
            await process(client, features=EVERYTHING, template_id=TEMPLATE)
        counted = samples(await page(port), "maie_jobs_warned_total", "pipeline", "reason")
    reasons = ("TRUNCATED", "UNREAD_SPEECH", "SUSPECT_TEXT", "TEXT_REMOVED")
    assert {each: count for each, count in counted.items() if count} == dict.fromkeys(
        (("recording", reason) for reason in (*reasons, "LANGUAGE_NOT_SUMMARIZED")), 2
    )
    assert {reason for _, reason in counted} == COUNTED_REASONS


async def test_a_watcher_hears_of_the_recording_before_there_is_any_text(
    empty_mesh: EmptyMesh,
) -> None:
    warning_mesh(empty_mesh)
    async with empty_mesh.running() as client:
        events = await process(client, features=("raw_transcript",))
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds.index("warning") < kinds.index("segment")


async def test_a_summary_alone_is_told_what_its_text_lacks(empty_mesh: EmptyMesh) -> None:
    warning_mesh(empty_mesh)
    async with empty_mesh.running() as client:
        events = await process(client, features=("summary",), template_id=TEMPLATE)
    results = events[-1].finished.job.results
    assert "UNREAD_SPEECH" in [each.reason for each in results.warnings]
    assert not results.segments
    assert not results.unread


async def test_a_complete_job_without_a_warning_has_none_to_tell(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        events = await process(client, features=EVERYTHING, template_id=TEMPLATE)
    assert events[-1].finished.job.state == job.JOB_STATE_COMPLETE
    assert not events[-1].finished.job.results.warnings
    assert not warned(events)
