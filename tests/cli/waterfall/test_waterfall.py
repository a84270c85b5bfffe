"""A waterfall is aligned, fits any terminal, and folds what is alike."""

from __future__ import annotations

import io
import random

import pytest
from rich.cells import cell_len
from rich.console import Console

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_cli.waterfall.drawing import GLYPHS, Drawing
from maie_cli.waterfall.rows import Kind, waterfall

pytestmark = pytest.mark.unit

BEGIN = 1_790_000_000


def timeline(state: job.JobState = job.JOB_STATE_COMPLETE, seconds: float = 10.0) -> job.Timeline:
    made = job.Timeline(state=state)
    made.create_time.FromSeconds(BEGIN)
    at(made.read_time, seconds)
    if state in (job.JOB_STATE_COMPLETE, job.JOB_STATE_FAILED, job.JOB_STATE_CANCELLED):
        at(made.finish_time, seconds)
    return made


def at(time: object, seconds: float) -> None:
    time.FromNanoseconds(round((BEGIN + seconds) * 1e9))  # type: ignore[attr-defined]


def attempt(
    to: job.Timeline,
    unit: str,
    queued: float,
    start: float | None = None,
    end: float | None = None,
    *,
    engine: float | None = None,
    number: int = 1,
    reason: str = "",
    deliveries: int = 1,
    stage: common.Stage = common.STAGE_ASR,
) -> None:
    made = to.attempts.add(unit=unit, stage=stage, attempt=number, deliveries=deliveries)
    at(made.queue_time, queued)
    if start is not None:
        at(made.start_time, start)
    if end is not None:
        at(made.end_time, end)
    if engine is not None:
        made.engine_duration.FromNanoseconds(round(engine * 1e9))
    if reason:
        made.failure.reason = reason


def drawn(of: job.Timeline, width: int, **options: bool) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(Drawing(waterfall(of, **options)), soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def long_job(chunks: int) -> job.Timeline:
    chance = random.Random(7)
    made = timeline(seconds=chunks * 2.0)
    for index in range(chunks):
        start = index * 1.9
        failed = "MODEL_UNAVAILABLE" if index == 40 else ""
        length = chance.uniform(0.5, 2)
        attempt(made, f"asr.{index:04d}", 0, start, start + length, engine=0.4, reason=failed)
    attempt(made, "asr.0040", 80, 81, 82, number=2, deliveries=2)
    return made


def test_queue_run_and_engine_are_apart() -> None:
    job_ = timeline()
    attempt(job_, "asr.0000", 2, 4, 8, engine=2)
    (row,) = waterfall(job_).rows
    assert (row.queued, row.ran, row.worked) == pytest.approx((2, 4, 2))
    found = [(part.kind, round(part.begin, 3), round(part.end, 3)) for part in row.parts]
    assert found == [
        (Kind.QUEUED, 2, 4),
        (Kind.RUNS, 4, 5),
        (Kind.WORKS, 5, 7),
        (Kind.RUNS, 7, 8),
    ]


def test_bars_stand_where_their_time_is() -> None:
    job_ = timeline()
    attempt(job_, "a", 0, 0, 5, engine=0)
    attempt(job_, "b", 5, 5, 10, engine=5)
    head, first, second, _ = drawn(job_, 60)
    begin = head.index("0")
    end = head.index(" s") + 2
    middle = (begin + end) // 2
    assert set(first[begin : middle - 1]) == {GLYPHS[Kind.RUNS]}
    assert set(second[begin : middle - 1]) == {" "}
    assert set(second[middle + 1 : end]) == {GLYPHS[Kind.WORKS]}


def test_a_retry_is_a_row_of_its_own_and_says_why() -> None:
    job_ = timeline()
    attempt(job_, "asr.0000", 0, 1, 2, reason="MODEL_UNAVAILABLE")
    attempt(job_, "asr.0000", 2, 4, 8, number=2, deliveries=3)
    first, second = waterfall(job_).rows
    assert (first.label, first.note, first.is_bad) == ("asr.0000", "MODEL_UNAVAILABLE", True)
    assert (second.label, second.note, second.is_bad) == ("asr.0000 #2", "delivered 3 times", False)


def test_what_has_not_ended_reaches_to_now() -> None:
    job_ = timeline(job.JOB_STATE_PROCESSING_ASR)
    attempt(job_, "asr.0000", 4)
    (row,) = waterfall(job_).rows
    assert [(part.kind, part.end) for part in row.parts] == [(Kind.OPEN, 10)]
    assert (row.queued, row.ran) == (None, None)
    assert GLYPHS[Kind.OPEN] in "".join(drawn(job_, 80))


def test_a_lost_worker_leaves_a_row_without_a_run() -> None:
    job_ = timeline(job.JOB_STATE_FAILED)
    attempt(job_, "asr.0000", 1, None, 9, reason="WORKER_LOST", deliveries=3)
    (row,) = waterfall(job_).rows
    assert (row.queued, row.ran) == (8, None)
    assert row.note == "WORKER_LOST, delivered 3 times"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("chunks", [1, 5, 256])
def test_no_line_is_wider_than_the_terminal(width: int, chunks: int) -> None:
    # The terminal wraps the legend.
    *lines, legend = drawn(long_job(chunks), width)
    assert max(map(cell_len, lines)) <= width
    assert any(GLYPHS[Kind.WORKS] in line for line in lines)
    assert GLYPHS[Kind.WORKS] in legend


def test_hundreds_of_units_are_folded_and_what_is_worth_a_look_is_not() -> None:
    shown = waterfall(long_job(256))
    assert shown.folded
    assert len(shown.rows) < 20
    whole, *rows = shown.rows
    assert whole.label == "asr: 256 units"
    assert len(whole.crowd) == 257
    notes = {row.label.strip(): row.note for row in rows if row.note}
    assert notes == {"asr.0040": "MODEL_UNAVAILABLE", "asr.0040 #2": "delivered 2 times"}
    assert rows[-1].label.strip().endswith("more")
    every = waterfall(long_job(256), every=True)
    assert (len(every.rows), every.folded) == (257, False)
