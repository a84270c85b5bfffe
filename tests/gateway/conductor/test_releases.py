"""Gateways of several releases work on one job; each leaves it able to reach its end."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError
from maie_gateway.conductor import (
    FINAL_STATES,
    accept,
    advance,
    job_view,
    log_events,
    pending_tasks,
)
from maie_pipeline.nodes import Node, Scope
from maie_pipeline.pipeline import Pipeline
from maie_pipeline.pipelines import PIPELINES
from maie_pipeline.recording import RECORDING
from tests.gateway.conductor.test_confluence import Script, play, scripts
from tests.gateway.conductor.world import (
    CLEAN,
    JOB_ID,
    NOW,
    POLICY,
    QUALITY,
    RAW,
    all_well,
    blob,
    cancel,
    completed,
    failed,
    log_lines,
    names,
    new_job,
    retry,
    run,
    unit_states,
    update,
)
from tests.properties import examples

pytestmark = pytest.mark.unit

STORED = Path(__file__).parents[2] / "data/records/before_pipelines.txtpb"


def before_pipelines() -> record.JobRecord:
    """A record as the last release without pipelines stored it, in the midst of its work.

    Of three chunks the first is punctuated by ASR and has its part of the summary, the second's
    enhancement is tried a second time, and the third is with ASR.
    """
    return text_format.Parse(STORED.read_text(), record.JobRecord())


def as_stored_before(source: record.JobRecord, units: int = 0) -> record.JobRecord:
    """The record as if that release had written its units from some place on."""
    old = record.JobRecord()
    old.CopyFrom(source)
    if units == 0:
        old.ClearField("pipeline")
    for unit in old.units[units:]:
        unit.ClearField("needs")
    return old


def test_a_record_of_the_release_before_is_one_without_pipeline_and_needs() -> None:
    assert before_pipelines() == as_stored_before(before_pipelines())
    now = new_job()
    step = advance(now.record, completed(now.tasks[0], chunks=3), POLICY, NOW)
    assert step.record != as_stored_before(step.record)
    shown = [(unit.unit, unit.stage, unit.index) for unit in before_pipelines().units]
    assert shown == [(unit.unit, unit.stage, unit.index) for unit in step.record.units]


def test_a_job_of_the_release_before_goes_on_to_its_end() -> None:
    source = before_pipelines()
    tasks = {task.unit: task for task in pending_tasks(source)}
    assert list(tasks) == ["asr.0002", "enhancement.0001"]
    assert tasks["enhancement.0001"].attempt == 2
    assert tasks["asr.0002"].asr.speech_chunk.index == 2
    step = advance(source, completed(tasks["asr.0002"]), POLICY, NOW)
    assert names(step.tasks) == ["enhancement.0002"]
    assert step.record.pipeline == "recording"
    assert all(unit.HasField("needs") for unit in step.record.units)
    while left := pending_tasks(step.record):
        step = advance(step.record, completed(left[0]), POLICY, NOW)
    assert log_lines(step.record)[-1] == "COMPLETE"
    assert unit_states(step.record)["enhancement.0000"] == "SKIPPED"
    assert len(step.record.units) == len(source.units)


def test_a_job_of_the_release_before_is_shown_cancelled_and_taken_up_again() -> None:
    source = before_pipelines()
    assert [each.total_units for each in job_view(source).progress] == [1, 3, 3, 4]
    step = advance(source, cancel(), POLICY, NOW)
    assert log_lines(step.record)[-1] == "CANCELLED"
    step = run(advance(step.record, retry(), POLICY, NOW), all_well(3))
    assert log_lines(step.record)[-1] == "COMPLETE"


@settings(max_examples=examples(60))
@given(scripts, st.integers(0, 2**32), st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_gateways_of_both_releases_lead_a_job_to_the_same_end(
    script: Script, seed: int, places: list[int]
) -> None:
    order = random.Random(seed)
    source = new_job(script.features, added=[QUALITY] * script.measured).record
    for place in places:
        if source.state in FINAL_STATES:
            break
        # What that release wrote last has no needs; what was there before keeps its own.
        source = as_stored_before(source, min(place, len(source.units) - 1))
        for task in pending_tasks(source)[:2]:
            source = advance(source, script.answer(task), POLICY, NOW).record
    end = source if source.state in FINAL_STATES else play(script, order, source)
    assert unit_states(end) == script.end()
    assert all(unit.HasField("needs") for unit in end.units)


def test_a_job_in_work_keeps_its_graph_when_the_table_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = new_job((CLEAN,))
    step = advance(step.record, completed(step.tasks[0], chunks=2), POLICY, NOW)
    # A later release, in which the text of all chunks waits for the whole recording once more.
    nodes = tuple(
        replace(node, needs=(("preprocess",),)) if node.name == "enhancement" else node
        for node in RECORDING.nodes
    )
    monkeypatch.setitem(PIPELINES, "recording", Pipeline(name="recording", nodes=nodes))
    step = advance(step.record, completed(step.tasks[0]), POLICY, NOW)
    assert names(step.tasks) == ["enhancement.0000"]
    assert step.tasks[0].enhancement.transcript_blob == blob("asr.0000")
    fresh = new_job((CLEAN,))
    fresh = advance(fresh.record, completed(fresh.tasks[0], chunks=1), POLICY, NOW)
    assert names(fresh.tasks) == ["asr.0000", "enhancement.0000"]


def later_release(*, pipeline: str = "recording", stage: int = 0) -> record.JobRecord:
    """A record of a later release, with a pipeline or a unit that this one does not know."""
    step = new_job((RAW,))
    source = advance(step.record, completed(step.tasks[0], chunks=1), POLICY, NOW).record
    source.pipeline = pipeline
    if stage:
        source.units.add(
            unit="diarization",
            stage=stage,
            state=job.UNIT_STATE_WAITING,
            needs=record.UnitNeeds(places=[1]),
        )
    return source


LATER = [
    ({"pipeline": "alignment"}, "PIPELINE_UNKNOWN"),
    ({"stage": 100}, "STAGE_UNKNOWN"),
    ({"stage": common.STAGE_SUMMARY}, "STAGE_UNKNOWN"),
]


@pytest.mark.parametrize(("what", "reason"), LATER)
def test_what_this_release_does_not_know_is_refused_with_a_reason(what: dict, reason: str) -> None:
    source = later_release(**what)
    before = source.SerializeToString(deterministic=True)
    (transcribed,) = pending_tasks(later_release())
    with pytest.raises(StageError, match="release") as refused:
        advance(source, completed(transcribed), POLICY, NOW)
    assert (refused.value.code, refused.value.reason) == (Code.FAILED_PRECONDITION, reason)
    assert source.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("what", [what for what, _ in LATER])
def test_what_this_release_does_not_know_is_shown_renamed_and_cancelled(what: dict) -> None:
    source = later_release(**what)
    stages = [each.stage for each in job_view(source).progress]
    assert stages[:2] == [common.STAGE_PREPROCESS, common.STAGE_ASR]
    assert set(stages) == {unit.stage for unit in source.units}
    assert log_events(source)
    assert advance(source, update("minutes"), POLICY, NOW).record.display_name == "minutes"
    stopped = advance(source, cancel(), POLICY, NOW).record
    assert log_lines(stopped)[-1] == "CANCELLED"


def accepted(pipeline: str, *, recording: common.Blob | None = None) -> record.JobRecord:
    return accept(
        job_id=JOB_ID,
        config=job.JobConfig(features=[RAW]),
        recording=recording,
        template=None,
        template_sha256="",
        pipeline_version="0.1.0",
        traceparent="",
        now=NOW,
        pipeline=pipeline,
    ).record


def test_no_job_is_accepted_into_a_pipeline_that_is_not_there() -> None:
    with pytest.raises(StageError) as refused:
        accepted("alignment")
    assert (refused.value.code, refused.value.reason) == (
        Code.FAILED_PRECONDITION,
        "PIPELINE_UNKNOWN",
    )


def _transcript(*_: object) -> Message:
    (enhancement,) = [node for node in RECORDING.nodes if node.name == "enhancement"]
    assert enhancement.request is not None
    return enhancement.request(record.JobRecord(), record.Unit(), [record.Unit(output=blob("x"))])


def test_a_job_needs_neither_a_recording_nor_preprocess(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, tidy = (
        Node(
            name=name,
            stage=common.STAGE_ENHANCEMENT,
            scope=Scope.JOB,
            state=job.JOB_STATE_PROCESSING_LLM,
            needs=needs,
            request=_transcript,
            output=common.Transcript,
        )
        for name, needs in (("texts", ()), ("tidy", (("texts",),)))
    )
    monkeypatch.setitem(PIPELINES, "alignment", Pipeline(name="alignment", nodes=(texts, tidy)))
    source = accepted("alignment")
    assert not source.HasField("recording")
    assert names(pending_tasks(source)) == ["texts"]
    assert [each.total_units for each in job_view(source).progress] == [2]
    source = advance(source, failed(pending_tasks(source)[0], retryable=True), POLICY, NOW).record
    while tasks := pending_tasks(source):
        assert tasks[0].report_start == (tasks[0].unit == "texts")
        source = advance(source, completed(tasks[0]), POLICY, NOW).record
    assert log_lines(source) == [
        *("accepted", "PENDING", "PROCESSING_LLM"),
        *("texts/1 QUEUED", "texts/2 COMPLETED", "tidy/1 COMPLETED", "COMPLETE"),
    ]
