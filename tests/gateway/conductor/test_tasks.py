"""The tasks for workers."""

from __future__ import annotations

from typing import Any

import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_gateway.conductor import accept
from tests.gateway.conductor.world import (
    ASR_OPTIONS,
    JOB_ID,
    NOW,
    RAW,
    RECORDING,
    TEMPLATE,
    TRACEPARENT,
    blob,
    completed,
    new_job,
    run,
)

pytestmark = pytest.mark.unit


def issued(
    *, chunks: int = 2, punctuated: bool = False, **config: Any
) -> dict[str, event.StageTask]:
    """All tasks of a job by unit."""
    tasks: dict[str, event.StageTask] = {}

    def answer(task: event.StageTask) -> event.StageEvent:
        tasks[task.unit] = task
        return completed(task, chunks=chunks, punctuated=punctuated)

    run(new_job(**config), answer)
    return tasks


def test_every_task_carries_job_attempt_and_trace() -> None:
    tasks = issued()
    assert len(tasks) == 1 + 3 * 2 + 1
    for name, task in tasks.items():
        assert (task.job_id, task.attempt, task.traceparent) == (JOB_ID, 1, TRACEPARENT)
        assert task.report_start == (name == "preprocess")
        assert not task.HasField("pause")


def test_preprocess_reads_the_recording() -> None:
    request = issued()["preprocess"].preprocess
    assert request.recording == RECORDING
    assert request.chunk_duration.seconds == 20


def test_preprocess_knows_the_slots_that_were_there_when_the_job_came() -> None:
    step = accept(
        job_id=JOB_ID,
        config=job.JobConfig(features=[RAW]),
        recording=RECORDING,
        template=None,
        template_sha256="",
        pipeline_version="0.1.0",
        traceparent="",
        now=NOW,
        asr_slots=6,
    )
    assert step.record.asr_slots == step.tasks[0].preprocess.asr_slots == 6


def test_preprocess_reads_the_sound_that_was_asked_for() -> None:
    options = preprocess.RecordingOptions(channels=preprocess.CHANNEL_MODE_SPLIT, track=2)
    request = issued(recording_options=options)["preprocess"].preprocess
    assert request.recording_options == options


def test_the_chunk_duration_is_the_services_own_where_nobody_asked() -> None:
    step = accept(
        job_id=JOB_ID,
        config=job.JobConfig(features=[RAW]),
        recording=RECORDING,
        template=None,
        template_sha256="",
        pipeline_version="0.1.0",
        traceparent="",
        now=NOW,
    )
    request = preprocess.PreprocessRequest(recording=RECORDING)
    assert step.tasks[0].preprocess == request
    assert not step.record.HasField("template")


def test_asr_reads_its_chunk_of_the_plan() -> None:
    expected = asr.TranscribeRequest(speech_chunk=preprocess.Chunk(index=1), options=ASR_OPTIONS)
    assert issued()["asr.0001"].asr == expected


def test_enhancement_reads_its_chunks_transcript() -> None:
    assert issued()["enhancement.0001"].enhancement.transcript_blob == blob("asr.0001")


@pytest.mark.parametrize(
    ("punctuated", "source"), [(False, "enhancement.0001"), (True, "asr.0001")]
)
def test_a_summary_part_reads_the_best_transcript(punctuated: bool, source: str) -> None:
    request = issued(punctuated=punctuated)["summary.map.0001"].summary
    assert request.template_blob == TEMPLATE
    assert request.map == blob(source)


def test_the_summary_reads_all_parts_in_recording_order() -> None:
    request = issued(chunks=12)["summary.reduce"].summary
    assert request.template_blob == TEMPLATE
    assert list(request.reduce.parts) == [blob(f"summary.map.{index:04d}") for index in range(12)]


def test_each_language_model_is_told_how_to_draw_its_words() -> None:
    tidy = common.GenerationOptions(temperature=0.0, seed=7)
    free = common.GenerationOptions(temperature=0.9, max_tokens=500)
    tasks = issued(chunks=2, enhancement_generation=tidy, summary_generation=free)
    for name, task in tasks.items():
        if name.startswith("enhancement"):
            assert task.enhancement.generation == tidy
        elif name.startswith("summary"):
            assert task.summary.generation == free


def test_language_models_are_told_nothing_where_nobody_asked() -> None:
    for name, task in issued().items():
        if name.startswith("enhancement"):
            assert not task.enhancement.HasField("generation")
        elif name.startswith("summary"):
            assert not task.summary.HasField("generation")


@pytest.mark.parametrize(
    ("punctuated", "source"), [(False, "enhancement.0000"), (True, "asr.0000")]
)
def test_the_summary_of_one_chunk_reads_the_best_transcript(punctuated: bool, source: str) -> None:
    request = issued(chunks=1, punctuated=punctuated)["summary.reduce"].summary
    assert request.template_blob == TEMPLATE
    assert request.whole == blob(source)


def test_the_summary_of_silence_reads_nothing() -> None:
    request = issued(chunks=0)["summary.reduce"].summary
    assert request.HasField("reduce")
    assert not request.reduce.parts
