"""Which units a job has, and in which order they may run."""

from __future__ import annotations

import pytest

from maie_gateway.conductor import advance
from tests.gateway.conductor.world import (
    ALL_FEATURES,
    CLEAN,
    METRICS,
    NOW,
    POLICY,
    RAW,
    SUMMARY,
    all_well,
    completed,
    log_lines,
    names,
    new_job,
    run,
    task_of,
    unit_states,
)

pytestmark = pytest.mark.unit

TWO_ASR = ["asr.0000", "asr.0001"]
TWO_ENHANCEMENT = ["enhancement.0000", "enhancement.0001"]
TWO_SPEAKERS = [
    *("diarization.map.0000", "diarization.map.0001"),
    "diarization.reduce",
    *("diarization.merge.0000", "diarization.merge.0001"),
]
TWO_SUMMARY = ["summary.map.0000", "summary.map.0001", "summary.reduce"]


def test_a_new_job_is_pending_and_has_one_task() -> None:
    step = new_job()
    assert step.changed
    assert log_lines(step.record) == ["accepted", "PENDING"]
    assert unit_states(step.record) == {"preprocess": "QUEUED"}
    assert names(step.tasks) == ["preprocess"]


@pytest.mark.parametrize(
    ("features", "units"),
    [
        ((RAW,), TWO_ASR),
        ((CLEAN,), TWO_ASR + TWO_ENHANCEMENT),
        ((METRICS,), TWO_ASR + TWO_ENHANCEMENT),
        ((RAW, CLEAN), TWO_ASR + TWO_ENHANCEMENT),
        ((SUMMARY,), TWO_ASR + TWO_ENHANCEMENT + TWO_SUMMARY),
        (ALL_FEATURES, TWO_ASR + TWO_SPEAKERS + TWO_ENHANCEMENT + TWO_SUMMARY),
    ],
)
def test_a_job_has_the_units_that_its_features_need(features: tuple, units: list[str]) -> None:
    step = run(new_job(features), all_well(2))
    assert list(unit_states(step.record)) == ["preprocess", *units]
    assert set(unit_states(step.record).values()) == {"COMPLETED"}
    assert log_lines(step.record)[-1] == "COMPLETE"


def test_one_chunk_is_summarised_in_one_step() -> None:
    step = run(new_job((SUMMARY,)), all_well(1))
    units = ["preprocess", "asr.0000", "enhancement.0000", "summary.reduce"]
    assert unit_states(step.record) == dict.fromkeys(units, "COMPLETED")
    assert log_lines(step.record)[-1] == "COMPLETE"


def test_a_completed_unit_keeps_its_output_and_its_cost() -> None:
    step = new_job()
    told = completed(step.tasks[0], chunks=1)
    unit, *_ = advance(step.record, told, POLICY, NOW).record.units
    assert (unit.output, unit.metrics) == (told.completed.output, told.completed.metrics)


def test_each_chunk_goes_its_own_way() -> None:
    step = new_job()
    step = advance(step.record, completed(task_of(step, "preprocess"), chunks=3), POLICY, NOW)
    assert names(step.tasks) == ["asr.0000", "asr.0001", "asr.0002"]
    for name, following in [
        ("asr.0001", ["enhancement.0001"]),
        ("enhancement.0001", ["summary.map.0001"]),
        ("summary.map.0001", []),
    ]:
        step = advance(step.record, completed(task_of(step, name)), POLICY, NOW)
        assert names(step.tasks) == following


def test_the_summary_is_joined_when_the_last_part_is_there() -> None:
    seen: list[str] = []

    def answer(task):
        seen.append(task.unit)
        return completed(task, chunks=3)

    run(new_job(), answer)
    assert seen[-1] == "summary.reduce"
    assert seen.count("summary.reduce") == 1


def test_enhancement_is_skipped_where_asr_punctuates() -> None:
    step = run(new_job(), all_well(2, punctuated=True))
    states = unit_states(step.record)
    assert states["enhancement.0000"] == states["enhancement.0001"] == "SKIPPED"
    assert log_lines(step.record)[-1] == "COMPLETE"
    outputs = {unit.unit: unit.output for unit in step.record.units}
    assert outputs["enhancement.0001"] == outputs["asr.0001"]


def test_a_punctuated_raw_transcript_has_nothing_to_skip() -> None:
    step = run(new_job((RAW,)), all_well(1, punctuated=True))
    assert unit_states(step.record) == {"preprocess": "COMPLETED", "asr.0000": "COMPLETED"}


def test_a_recording_without_speech_is_complete() -> None:
    step = run(new_job((RAW, CLEAN)), all_well(0))
    assert log_lines(step.record) == [
        "accepted",
        "PENDING",
        "PREPROCESSING",
        "preprocess/1 COMPLETED",
        "COMPLETE",
    ]


def test_a_recording_without_speech_still_gets_its_summary() -> None:
    step = new_job()
    step = advance(step.record, completed(task_of(step, "preprocess"), chunks=0), POLICY, NOW)
    assert log_lines(step.record)[-1] == "PROCESSING_LLM"
    assert list(task_of(step, "summary.reduce").summary.reduce.parts) == []
    step = advance(step.record, completed(task_of(step, "summary.reduce")), POLICY, NOW)
    assert log_lines(step.record)[-1] == "COMPLETE"


def test_the_log_tells_the_whole_story_in_order() -> None:
    step = run(new_job(), all_well(1))
    assert log_lines(step.record) == [
        "accepted",
        "PENDING",
        "PREPROCESSING",
        "preprocess/1 COMPLETED",
        "PROCESSING_ASR",
        "asr.0000/1 COMPLETED",
        "PROCESSING_LLM",
        "enhancement.0000/1 COMPLETED",
        "summary.reduce/1 COMPLETED",
        "COMPLETE",
    ]
