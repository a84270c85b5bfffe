"""A job's timeline as rows, in seconds from when the job was accepted. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from google.protobuf.timestamp_pb2 import Timestamp

from maie.job.v1 import job_pb2 as job
from maie_cli.names import stage_name
from maie_core.durations import seconds
from maie_pipeline.states import FINAL_STATES

# A stage with more attempts than that is one row, and a few rows for those worth a look.
MOST_ROWS = 12
SLOWEST = 3


class Kind(enum.IntEnum):
    """What an attempt does at a moment; of several in one column, the greatest is shown."""

    QUEUED = 0
    OPEN = 1
    """It has not ended: it is queued or runs."""
    RUNS = 2
    WORKS = 3
    """Its engine works."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Part:
    """A part of an attempt's time."""

    kind: Kind
    begin: float
    end: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Row:
    """A line of the waterfall.

    Attributes:
        label: The unit, with its attempt where that is not the first.
        parts: What the bar shows, in order.
        queued: How long it waited; None where that is not known, like the next two.
        ran: How long it ran.
        worked: How long its engine worked.
        note: What else is worth knowing; empty for most.
        is_bad: Whether it failed.
        crowd: For a whole stage: the times in which each of its attempts ran. It has no parts.
    """

    label: str
    parts: tuple[Part, ...] = ()
    queued: float | None = None
    ran: float | None = None
    worked: float | None = None
    note: str = ""
    is_bad: bool = False
    crowd: tuple[tuple[float, float], ...] = ()


@dataclass(kw_only=True, frozen=True, slots=True)
class Waterfall:
    """All rows.

    Attributes:
        rows: The rows, in the order of the work.
        length: The end of the time axis.
        folded: Whether some attempts have no row.
    """

    rows: tuple[Row, ...]
    length: float
    folded: bool


def waterfall(timeline: job.Timeline, *, every: bool = False) -> Waterfall:
    """The waterfall of a job.

    Args:
        timeline: Where its time went.
        every: Whether each attempt has a row, however many there are.
    """
    axis = _Axis(timeline)
    attempts = sorted(timeline.attempts, key=lambda each: axis.order(each))
    rows: list[Row] = []
    folded = False
    for _, group in groupby(attempts, key=lambda each: each.stage):
        of_stage = sorted(group, key=lambda each: (each.unit, each.attempt))
        if every or len(of_stage) <= MOST_ROWS:
            rows += [axis.row(each) for each in of_stage]
        else:
            folded = True
            rows += _fold(of_stage, axis)
    return Waterfall(rows=tuple(rows), length=axis.length, folded=folded)


class _Axis:
    def __init__(self, timeline: job.Timeline) -> None:
        self._begin = _seconds(timeline.create_time)
        is_over = timeline.state in FINAL_STATES
        self._cut_off = timeline.state == job.JOB_STATE_CANCELLED
        ended = timeline.finish_time if is_over else timeline.read_time
        self.length = max(_seconds(ended) - self._begin, 1e-3)
        first: dict[int, float] = {}
        for each in timeline.attempts:
            first[each.stage] = min(self.begin(each), first.get(each.stage, self.length))
        self._first = first

    def order(self, attempt: job.TimelineAttempt) -> tuple[float, int]:
        """The stages in the order of their first attempts."""
        return self._first[attempt.stage], attempt.stage

    def at(self, time: Timestamp) -> float:
        return min(max(_seconds(time) - self._begin, 0.0), self.length)

    def begin(self, attempt: job.TimelineAttempt) -> float:
        if attempt.HasField("queue_time"):
            return self.at(attempt.queue_time)
        if attempt.HasField("start_time"):
            return self.at(attempt.start_time)
        return self.at(attempt.end_time) if attempt.HasField("end_time") else self.length

    def row(self, attempt: job.TimelineAttempt) -> Row:
        begin = self.begin(attempt)
        label = attempt.unit if attempt.attempt == 1 else f"{attempt.unit} #{attempt.attempt}"
        if not attempt.HasField("end_time"):
            part = Part(kind=Kind.OPEN, begin=begin, end=self.length)
            return Row(label=label, parts=(part,), note="cancelled" if self._cut_off else "")
        end = self.at(attempt.end_time)
        row = Row(
            label=label,
            note=_note(attempt),
            is_bad=attempt.HasField("failure"),
        )
        if not attempt.HasField("start_time"):
            return replace(
                row,
                parts=(Part(kind=Kind.QUEUED, begin=begin, end=end),),
                queued=end - begin if attempt.HasField("queue_time") else None,
            )
        start = max(self.at(attempt.start_time), begin)
        worked = seconds(attempt.engine_duration) if attempt.HasField("engine_duration") else None
        return replace(
            row,
            parts=(
                Part(kind=Kind.QUEUED, begin=begin, end=start),
                *_run(start, end, worked or 0.0),
            ),
            queued=start - begin if attempt.HasField("queue_time") else None,
            ran=end - start,
            worked=worked,
        )


def _run(start: float, end: float, worked: float) -> Iterable[Part]:
    """The run, with the engine's share of it in the middle: when it worked is not known."""
    around = max(end - start - worked, 0.0) / 2
    yield Part(kind=Kind.RUNS, begin=start, end=start + around)
    yield Part(kind=Kind.WORKS, begin=start + around, end=end - around)
    yield Part(kind=Kind.RUNS, begin=end - around, end=end)


def _note(attempt: job.TimelineAttempt) -> str:
    notes = []
    if attempt.HasField("failure"):
        notes.append(attempt.failure.reason or "failed")
    if attempt.deliveries > 1:
        notes.append(f"delivered {attempt.deliveries} times")
    return ", ".join(notes)


def _fold(attempts: Sequence[job.TimelineAttempt], axis: _Axis) -> list[Row]:
    """A row for the stage, and rows for the slowest attempts and those with a note."""
    rows = [axis.row(each) for each in attempts]
    units = len({each.unit for each in attempts})
    whole = Row(
        label=f"{stage_name(attempts[0].stage)}: {units} units",
        queued=_mean([row.queued for row in rows]),
        ran=_mean([row.ran for row in rows]),
        worked=_mean([row.worked for row in rows]),
        note="means",
        crowd=tuple(_busy(row) for row in rows if row.parts),
    )
    slowest = sorted(rows, key=lambda row: -(row.ran or 0.0))[:SLOWEST]
    noted = [row for row in rows if row.note and row not in slowest]
    shown = [*slowest, *noted[: MOST_ROWS - SLOWEST]]
    left = len(rows) - len(shown)
    return [
        whole,
        *(replace(row, label=f"  {row.label}") for row in rows if row in shown),
        *([Row(label=f"  {left} more")] if left else []),
    ]


def _busy(row: Row) -> tuple[float, float]:
    ran = [part for part in row.parts if part.kind is not Kind.QUEUED] or list(row.parts)
    return ran[0].begin, ran[-1].end


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _seconds(time: Timestamp) -> float:
    return time.ToNanoseconds() / 1e9
