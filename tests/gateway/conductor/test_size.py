"""A job's record fits in one message of JetStream, whatever happens to the job."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from maie_gateway.conductor import FINAL_STATES, advance, pending_tasks
from maie_gateway.conductor.job_events import MAX_REVISIONS
from tests.gateway.conductor.world import (
    ALL_FEATURES,
    NOW,
    POLICY,
    QUALITY,
    all_well,
    completed,
    failed,
    new_job,
    revise,
    run,
)

pytestmark = pytest.mark.unit

# 16 hours in chunks of 5 minutes.
LONGEST_CHUNKS = 192
MAX_PAYLOAD_BYTES = 1024 * 1024


def test_the_longest_recording_stays_below_450_kb() -> None:
    done = run(new_job(ALL_FEATURES, added=[QUALITY]), all_well(LONGEST_CHUNKS)).record
    assert len(done.units) == 4 + 6 * LONGEST_CHUNKS
    assert done.ByteSize() < 450_000


@pytest.mark.slow
def test_the_largest_job_fits_and_ends_where_everything_fails_twice() -> None:
    def answer(task):
        if task.unit == "preprocess":
            return completed(task, chunks=POLICY.max_chunks)
        if task.attempt <= POLICY.max_retries:
            return failed(task, retryable=True, message="x" * 1000)
        if task.unit.startswith("summary.map"):
            return failed(task, retryable=False, message="x" * 1000)
        return completed(task)

    done = run(new_job(ALL_FEATURES, added=[QUALITY]), answer).record
    assert len(done.units) == 4 + 6 * POLICY.max_chunks
    assert done.state in FINAL_STATES
    assert done.ByteSize() < MAX_PAYLOAD_BYTES


def test_a_record_has_room_for_all_revisions_and_no_more() -> None:
    seen = run(new_job(ALL_FEATURES), all_well(LONGEST_CHUNKS)).record
    before = seen.ByteSize()
    for number in range(MAX_REVISIONS):
        seen = advance(seen, revise(number), POLICY, NOW).record
    assert len(seen.revisions) == MAX_REVISIONS
    assert seen.ByteSize() - before < 100_000
    assert not advance(seen, revise(MAX_REVISIONS), POLICY, NOW).changed


def test_a_record_without_room_takes_no_revision() -> None:
    done = run(new_job(ALL_FEATURES), all_well(1)).record
    full = replace(POLICY, max_record_bytes=done.ByteSize())
    assert not advance(done, revise(0), full, NOW).changed


def test_the_longest_recording_ends_alike_in_any_order() -> None:
    order = random.Random(7)
    step = new_job(ALL_FEATURES)
    queue = list(step.tasks)
    while queue:
        task = queue.pop(order.randrange(len(queue)))
        step = advance(step.record, completed(task, chunks=LONGEST_CHUNKS), POLICY, NOW)
        queue.extend(step.tasks)
    in_turn = run(new_job(ALL_FEATURES), all_well(LONGEST_CHUNKS)).record
    assert list(step.record.units) == list(in_turn.units)
    assert step.record.state == in_turn.state
    assert pending_tasks(step.record) == []
