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
        for name, waiting in backlog.take(2).items():
            if waiting.revision is None:
                shown.pop(name, None)
            else:
                shown[name] = max(shown.get(name, 0), waiting.revision)
        backlog.done()

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
    (first,) = backlog.take(1).values()
    assert first.revision == 49


def test_few_records_are_held_however_many_jobs_wait() -> None:
    backlog = Backlog()
    for _ in range(2):
        for number in range(HELD_RECORDS + 100):
            backlog.change(job_record(number), number + 1)
    waiting = backlog.take(10_000).values()
    assert len(waiting) == HELD_RECORDS + 100
    assert sum(entry.record is not None for entry in waiting) == HELD_RECORDS


def test_what_changes_while_it_is_written_is_written_again() -> None:
    backlog = Backlog()
    backlog.change(job_record(1), 1)
    first = backlog.ticket
    backlog.take(10)
    backlog.change(job_record(1), 2)
    second = backlog.ticket
    assert not backlog.written(first)
    backlog.done()
    assert backlog.written(first)
    assert not backlog.written(second)
    (again,) = backlog.take(10).values()
    assert again.revision == 2
    backlog.done()
    assert backlog.written(second)


@given(st.lists(st.tuples(st.sampled_from(("change", "take", "lose", "done")), st.integers(0, 3))))
def test_nothing_counts_as_written_before_it_is(steps: list[tuple[str, int]]) -> None:
    """Whatever changes while a batch is written, and however often writing fails."""
    backlog = Backlog()
    told: list[tuple[int, str, int]] = []
    shown: dict[str, int] = {}
    taken: dict[str, int] = {}
    for revision, (step, number) in enumerate(steps, start=1):
        match step:
            case "change":
                backlog.change(job_record(number), revision)
                told.append((backlog.ticket, job_id(number), revision))
            case "take":
                taken = {name: each.revision or 0 for name, each in backlog.take(2).items()}
            case "lose":
                taken = {}
            case "done" if taken:
                shown |= taken
                taken = {}
                backlog.done()
        for ticket, name, seen in told:
            assert shown.get(name, 0) >= seen or not backlog.written(ticket)


def test_a_removed_job_does_not_come_back_with_news_that_is_late() -> None:
    backlog = Backlog()
    backlog.change(job_record(1), 1)
    backlog.remove(job_id(1), 3)
    backlog.change(job_record(1), 2)
    (gone,) = backlog.take(10).values()
    assert gone.revision is None
    backlog.done()
    backlog.change(job_record(1), 2)
    assert not len(backlog)
    backlog.change(job_record(1), 4)
    assert len(backlog) == 1
