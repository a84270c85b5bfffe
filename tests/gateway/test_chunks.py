"""An ASR task has its chunk in it; where the plan is damaged, the job says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_gateway.conductor import Policy, accept
from maie_gateway.engine.chunks import Chunks
from maie_gateway.engine.wiring import ConductingOptions, conducting
from maie_gateway.views.stored_results import StoredResults
from maie_runtime.blobs import Blobs
from maie_runtime.bus.broker import Broker
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
JOB = "01990000-0000-7000-8000-000000000001"


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def test_each_task_has_its_whole_chunk(empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages = empty_stages(chunks=3)
    planned: list[preprocess.Chunk] = []
    given: dict[str, preprocess.Chunk] = {}
    cut, transcribe = (empty_mesh.stages[slug].answer for slug in ("preprocess", "asr"))

    def plan(request: Any, context: StageContext, chunks: int) -> Sequence[Any]:
        answers = cut(request, context, chunks)
        for chunk in answers[-1].result.chunks:
            chunk.audio.key = f"{context.folder}/chunk-{chunk.index}"
            chunk.speech.add().CopyFrom(chunk.range)
            planned.append(chunk)
        return answers

    def note(request: asr.TranscribeRequest, context: StageContext, chunks: int) -> Sequence[Any]:
        given[context.unit] = request.speech_chunk
        return transcribe(request, context, chunks)

    empty_mesh.stages["preprocess"].answer = plan
    empty_mesh.stages["asr"].answer = note
    async with empty_mesh.running() as client:
        events = [told async for told in client.process(recording(), features=RAW)]
    assert events[-1].finished.job.state == job.JOB_STATE_COMPLETE
    assert given == {f"asr.{chunk.index:04d}": chunk for chunk in planned}
    assert len(given) == 3


@pytest.mark.parametrize("damage", ["missing", "corrupt"])
async def test_a_job_whose_plan_is_damaged_fails_and_says_so(
    broker: Broker, blobs: Blobs, tmp_path: Path, damage: str
) -> None:
    plan = preprocess.PreprocessResult(chunks=[preprocess.Chunk(index=at) for at in range(3)])
    output = await blobs.put_message("jobs/x/preprocess", plan)
    path = tmp_path / "blobs" / output.key
    path.unlink() if damage == "missing" else path.write_bytes(b"?")
    options = ConductingOptions(policy=Policy(), max_running_jobs=8, reconcile_seconds=60.0)
    complete = Chunks(StoredResults(blobs)).complete
    async with conducting(broker, options, complete=complete) as jobs:
        step = accept(
            job_id=JOB,
            config=job.JobConfig(features=[job.FEATURE_CLEAN_TRANSCRIPT]),
            recording=common.Blob(key="recording"),
            template=None,
            template_sha256="",
            pipeline_version="0",
            traceparent="",
            now=datetime.now(UTC),
        )
        await jobs.conductor.begin(step)
        facts = event.UnitFacts(chunk_count=3)
        completed = event.UnitCompleted(output=output, facts=facts)
        told = event.StageEvent(job_id=JOB, unit="preprocess", attempt=1, completed=completed)
        await jobs.conductor.take(JOB, [told])
        ended = (await jobs.store.get(JOB)).record
    assert ended.state == job.JOB_STATE_FAILED
    reasons = {unit.failure.reason for unit in ended.units if unit.stage == common.STAGE_ASR}
    assert reasons == {f"BLOB_{damage.upper()}"}
