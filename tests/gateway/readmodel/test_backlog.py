"""Whatever order things are seen and written in, the end is the truth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_gateway.readmodel.backlog import HELD_RECORDS, Backlog
from tests.gateway.readmodel.records import job_id, job_record

pytestmark = pytest.mark.unit

ACTIONS = ("change", "again", "remove", "write", "lose", "forget", "replay")
STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3)), max_size=40)


@given(STEPS)
def test_what_is_written_becomes_what_is_true(steps: list[tuple[str, int]]) -> None:
    backlog = Backlog()
    truth: dict[str, int] = {}
    shown: dict[str, int] = {}

    def write() -> None:
        if backlog.replay is not None:
            backlog.compare(shown)
        batch = backlog.first(2)
        for name, waiting in batch.items():
            if waiting.revision is None:
                shown.pop(name, None)
            else:
                shown[name] = max(shown.get(name, 0), waiting.revision)
        backlog.done(batch)

    def replay() -> None:
        backlog.begin_replay()
        for name, seen in truth.items():
            backlog.change(job_record(int(name.replace("-", ""), 16)), seen)
        backlog.end_replay()

    for revision, (step, number) in enumerate(steps, start=1):
        match step:
            case "change":
                truth[job_id(number)] = revision
                backlog.change(job_record(number), revision)
            case "again":
                if job_id(number) in truth:
                    backlog.change(job_record(number), truth[job_id(number)])
            case "remove":
                truth.pop(job_id(number), None)
                backlog.remove(job_id(number))
            case "write":
                write()
            case "lose":  # a change that the watch misses, until it replays
                truth[job_id(number)] = revision
            case "forget":  # and a removal that it misses
                truth.pop(job_id(number), None)
            case "replay":
                replay()
    replay()
    write()
    while len(backlog):
        write()
    assert shown == truth
    assert backlog.written(backlog.ticket)
    assert not backlog.replaying


def test_a_job_that_changes_often_waits_once_and_keeps_its_place() -> None:
    backlog = Backlog()
    for revision in range(1, 50):
        backlog.change(job_record(1), revision)
        backlog.change(job_record(2), revision + 100)
    assert len(backlog) == 2
    (first,) = backlog.first(1).values()
    assert first.revision == 49


def test_few_records_are_held_however_many_jobs_wait() -> None:
    backlog = Backlog()
    for _ in range(2):
        for number in range(HELD_RECORDS + 100):
            backlog.change(job_record(number), number + 1)
    waiting = backlog.first(10_000).values()
    assert len(waiting) == HELD_RECORDS + 100
    assert sum(entry.record is not None for entry in waiting) == HELD_RECORDS


def test_what_changes_while_it_is_written_is_written_again() -> None:
    backlog = Backlog()
    backlog.change(job_record(1), 1)
    ticket = backlog.ticket
    batch = backlog.first(10)
    backlog.change(job_record(1), 2)
    backlog.done(batch)
    assert backlog.written(ticket)
    (again,) = backlog.first(10).values()
    assert again.revision == 2
