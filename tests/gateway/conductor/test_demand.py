"""How much of a job could run at once, whatever its window keeps back."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import Policy, Step, advance, runnable_units
from tests.gateway.conductor.world import (
    NOW,
    cancel,
    completed,
    failed,
    names,
    new_job,
    release,
    retry,
    task_of,
)

pytestmark = pytest.mark.unit

# One slot: a long job never has more than one unit of a stage queued.
ONE_SLOT = Policy(
    window={common.STAGE_ASR: 1, common.STAGE_ENHANCEMENT: 1, common.STAGE_SUMMARY: 1}
)


def demand(source: record.JobRecord) -> Mapping[str, int]:
    return {
        common.Stage.Name(stage).removeprefix("STAGE_"): count
        for stage, count in runnable_units(source).items()
    }


def cut(chunks: int) -> Step:
    """A job whose recording was cut."""
    begun = new_job()
    done = completed(task_of(begun, "preprocess"), chunks=chunks)
    return advance(begun.record, done, ONE_SLOT, NOW)


def test_a_new_job_has_one_unit() -> None:
    assert demand(new_job().record) == {"PREPROCESS": 1}


def test_all_chunks_count_though_one_is_queued() -> None:
    step = cut(200)
    assert names(step.tasks) == ["asr.0000"]
    assert demand(step.record) == {"ASR": 200}


def test_what_was_read_is_demand_of_the_next_stage() -> None:
    step = cut(200)
    for _ in range(3):
        (task,) = (task for task in step.tasks if task.stage == common.STAGE_ASR)
        step = advance(step.record, completed(task), ONE_SLOT, NOW)
    assert demand(step.record) == {"ASR": 197, "ENHANCEMENT": 3}


def test_a_held_job_counts_from_its_turn_on() -> None:
    held = new_job(held=True).record
    assert demand(held) == {}
    assert demand(advance(held, release(), ONE_SLOT, NOW).record) == {"PREPROCESS": 1}


def test_what_can_never_run_or_was_cancelled_does_not_count() -> None:
    step = cut(3)
    lost = advance(step.record, failed(step.tasks[0], retryable=False), ONE_SLOT, NOW)
    assert demand(lost.record) == {"ASR": 2}
    cancelled = advance(lost.record, cancel(), ONE_SLOT, NOW).record
    assert demand(cancelled) == {}
    assert demand(advance(cancelled, retry(), ONE_SLOT, NOW).record) == {"ASR": 3}


def test_of_a_record_of_an_earlier_release_what_is_queued_counts() -> None:
    source = cut(5).record
    for unit in source.units:
        unit.ClearField("needs")
    assert demand(source) == {"ASR": 1}
