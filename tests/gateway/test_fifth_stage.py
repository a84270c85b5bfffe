"""A stage is added by rows in the tables, a proto and a package, and by nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_client import Client
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.views import VIEWS
from maie_pipeline.bindings import BINDINGS
from maie_pipeline.pipelines import PIPELINES
from maie_pipeline.recording import RECORDING
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage, empty_stages
from tests.fifth_stage.messages import quality
from tests.fifth_stage.rows import BINDING, NODE, STAGE, VIEW
from tests.fifth_stage.stage import ENGINE, QualityStage
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_jobs import process
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


@pytest.fixture
def mesh(empty_mesh: EmptyMesh, monkeypatch: pytest.MonkeyPatch) -> EmptyMesh:
    """A mesh of five stages; preprocess finds two chunks of a telephone call."""
    monkeypatch.setitem(BINDINGS, BINDING.slug, BINDING)
    pipeline = replace(RECORDING, nodes=(*RECORDING.nodes, NODE))
    monkeypatch.setitem(PIPELINES, pipeline.name, pipeline)
    monkeypatch.setitem(VIEWS, NODE.output, VIEW)
    empty_mesh.stages = empty_stages(chunks=2)
    empty_mesh.gateway_options["measure_quality"] = False
    plain = empty_mesh.stages["preprocess"].answer

    def telephone(*asked: Any) -> list[preprocess.PreprocessResponse]:
        *progress, last = plain(*asked)
        last.result.quality.narrow_band = True
        return [*progress, last]

    empty_mesh.stages["preprocess"].answer = telephone
    empty_mesh.stages["telephony"] = QualityStage()  # type: ignore[assignment]
    return empty_mesh


async def test_a_fifth_stage_runs_and_is_shown_like_the_others(mesh: EmptyMesh) -> None:
    async with mesh.running() as client:
        events = await process(client, features=("raw_transcript", "clean_transcript"))
        done = events[-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert [each.stage for each in done.progress] == [1, 2, 3, STAGE]
        assert [each.total_units for each in done.progress] == [1, 2, 2, 1]
        assert done.results.clean_transcript == "Chunk 0. Chunk 1."
        assert [warning.reason for warning in done.results.warnings] == ["QUALITY"]
        assert done.metrics.quality.narrow_band
        *_, cost = done.metrics.stages
        assert (cost.stage, cost.units, cost.attempts) == (STAGE, 1, 1)
        assert cost.audio_duration.seconds == 20
        *_, made_by = done.versions.stages
        assert (made_by.stage, made_by.engine) == (STAGE, ENGINE)
        ended = [each.unit_ended for each in events if each.HasField("unit_ended")]
        assert (ended[-1].unit, ended[-1].stage) == ("telephony", STAGE)
        heard = [each.stage_progress.fraction for each in events if _is_progress(each)]
        assert heard[-1] == 1.0
        assert [each.warning.reason for each in events if each.HasField("warning")] == ["QUALITY"]
        assert await client.get_job(done.job_id) == done


async def test_the_mesh_lists_its_workers_and_models(mesh: EmptyMesh) -> None:
    async with mesh.running() as client:
        *_, status = (await client.get_mesh()).stages
        assert status.stage == STAGE
        assert [worker.slots for worker in status.workers] == [1]
        assert STAGE in {model.stage for model in await client.list_models()}


async def test_only_the_jobs_that_want_it_have_it(mesh: EmptyMesh) -> None:
    async with mesh.running() as client:
        done = (await process(client, features=("clean_transcript",)))[-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert [each.stage for each in done.progress] == [1, 2, 3]


async def test_its_failure_is_a_dead_letter_that_can_be_replayed(mesh: EmptyMesh) -> None:
    async def refuses(_: StageContext) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is damaged.")

    answer = [quality.ReportResponse(result=quality.QualityReport(engine=ENGINE))]
    broken = EmptyStage(answer=lambda *_: answer, hook=refuses)
    mesh.stages["telephony"] = broken
    async with mesh.running() as client:
        failed = (await process(client, features=("raw_transcript",)))[-1].finished.job
        assert failed.state == job.JOB_STATE_FAILED
        assert failed.results.raw_transcript == "chunk 0\nchunk 1"
        # The letter is published once the job has failed.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (letters := [each async for each in client.list_dead_letters()]):
                await asyncio.sleep(0.01)
        (letter,) = letters
        assert (letter.unit, letter.failure.reason) == ("telephony", "AUDIO_CORRUPT")
        broken.hook = EmptyStage(answer=lambda *_: answer).hook
        await client.replay_dead_letter(letter.letter_id)
        assert await _end(client, failed.job_id) == job.JOB_STATE_COMPLETE


async def test_it_answers_direct_calls(mesh: EmptyMesh) -> None:
    blobs = Blobs(mesh.mesh.blob_url)
    unread = common.Transcript(unread=[common.TimeRange()])
    unread.unread[0].end_offset.FromSeconds(3)
    request = quality.ReportRequest(
        plan=await blobs.put_message("plan", preprocess.PreprocessResult()),
        transcripts=[await blobs.put_message("transcript", unread)],
    )
    async with mesh.service("telephony") as address, grpc.aio.insecure_channel(address) as channel:
        report = channel.unary_stream(
            "/tests.quality.v1.QualityService/Report",
            request_serializer=quality.ReportRequest.SerializeToString,
            response_deserializer=quality.ReportResponse.FromString,
        )
        *_, last = [response async for response in report(request)]
    assert last.result.unread_duration.seconds == 3


def _is_progress(event: job.JobEvent) -> bool:
    return event.HasField("stage_progress") and event.stage_progress.stage == STAGE


async def _end(client: Client, job_id: str) -> job.JobState:
    *_, last = [event async for event in client.watch_job(job_id)]
    return last.finished.job.state
