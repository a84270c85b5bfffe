"""The watched jobs and a table of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_cli.listing import GAP
from maie_cli.names import STAGES, STATES, stage_name, state_name
from maie_formats.clean import plain
from maie_pipeline.states import FINAL_STATES

DONE = 1.0
# The lines around the rows: the header, the counts and an error, which take up to
# five lines on a narrow terminal, and the line of the cursor.
FRAME_LINES = 7
# Narrower terminals have no room for all columns with a whole id: progress then replaces the state,
# and labels are left out.
WIDE_COLUMNS = 110
# Labels may be cut; names may not.
LABEL_COLUMNS = 12
ID_COLUMNS = 36
TIME_COLUMNS = len("12:34:56")
STATE_COLUMNS = len("enhancement 100%")
STYLES = {
    job.JOB_STATE_COMPLETE: "green",
    job.JOB_STATE_FAILED: "bold red",
    job.JOB_STATE_CANCELLED: "yellow",
    job.JOB_STATE_PENDING: "dim",
}


@dataclass(kw_only=True, slots=True)
class Row:
    """The last known state of a job.

    Attributes:
        job_id: The job.
        name: Its display name.
        labels: Its labels, as on the command line.
        state: Its state.
        accepted: When it was accepted, in seconds since 1970.
        ended: When it was finished; None before.
        updated: When its state last changed before it was watched, in
            nanoseconds since 1970.
        stages: The progress of each known stage.
        warnings: The number of warnings about its results.
        gone: Whether it was deleted.
    """

    job_id: str
    name: str = ""
    labels: str = ""
    state: job.JobState = job.JOB_STATE_PENDING
    accepted: float = 0.0
    ended: float | None = None
    updated: int = 0
    stages: dict[common.Stage, job.StageProgress] = field(default_factory=dict)
    warnings: int = 0
    gone: bool = False

    @classmethod
    def of(cls, seen: job.Job) -> Row:
        """Makes a row from a gateway's job."""
        row = cls(job_id=seen.job_id, updated=seen.update_time.ToNanoseconds())
        row.take(seen)
        return row

    @property
    def running(self) -> bool:
        """Whether it has started and not ended."""
        return not self.over and self.state != job.JOB_STATE_PENDING

    @property
    def over(self) -> bool:
        """Whether it has ended or was deleted."""
        return self.gone or self.state in FINAL_STATES

    @property
    def seconds(self) -> float:
        """The time since its acceptance, or until its end."""
        return max(0.0, (self.ended or time.time()) - self.accepted)

    @property
    def title(self) -> str:
        """The job's id and name for a line."""
        return f"{self.job_id} {self.name}".rstrip()

    @property
    def label(self) -> str:
        """The label of the state."""
        return "deleted" if self.gone else state_name(self.state)

    @property
    def verdict(self) -> str:
        """The state and the number of warnings."""
        if not self.warnings:
            return self.label
        return f"{self.label} ({self.warnings} warning{'s' * (self.warnings > 1)})"

    def take(self, seen: job.Job) -> None:
        """Updates the row from a gateway's job."""
        self.name = plain(seen.display_name or seen.config.filename)
        self.labels = plain(" ".join(f"{key}={seen.labels[key]}" for key in sorted(seen.labels)))
        self.state = seen.state
        self.accepted = seen.create_time.ToNanoseconds() / 1e9
        self.ended = (
            seen.finish_time.ToNanoseconds() / 1e9 if seen.HasField("finish_time") else None
        )
        self.stages = {each.stage: each for each in seen.progress}
        self.warnings = len(seen.results.warnings)

    def apply(self, event: job.JobEvent) -> None:
        """Updates the row from an event."""
        if self.is_replay(event):
            return
        if event.HasField("state_changed"):
            self.state = event.state_changed.state
        elif event.HasField("stage_progress"):
            self.stages[event.stage_progress.stage] = event.stage_progress
        elif event.HasField("finished"):
            self.take(event.finished.job)

    def is_replay(self, event: job.JobEvent) -> bool:
        """Whether an event is older than the row's first state."""
        return bool(event.sequence) and event.event_time.ToNanoseconds() <= self.updated

    def progress(self) -> str:
        """The running stage with the least progress, and its progress."""
        if not self.running:
            return ""
        behind = [
            progress
            for stage in STAGES
            if (progress := self.stages.get(stage)) is not None and progress.fraction < DONE
        ]
        if not behind:
            return ""
        progress = behind[0]
        units = (
            f" {progress.ended_units}/{progress.total_units}" if progress.total_units > 1 else ""
        )
        return f"{stage_name(progress.stage)} {progress.fraction:.0%}{units}"


class Board:
    """The watched jobs as a table that fits its terminal.

    Jobs are in the order of their acceptance. If there are more than lines,
    running ones are shown first, then those that ended last, then those that
    wait longest; the rest is counted.

    Attributes:
        trouble: The current error of the connection; empty for none.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self.trouble = ""

    def follows(self, job_id: str) -> bool:
        """Whether a job is watched and has not ended."""
        row = self._rows.get(job_id)
        return row is not None and not row.over

    @property
    def rows(self) -> list[Row]:
        """All jobs, in the order of their acceptance."""
        return sorted(self._rows.values(), key=lambda row: (row.accepted, row.job_id))

    def add(self, row: Row) -> None:
        """Adds a job."""
        self._rows[row.job_id] = row

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max(1, (options.height or console.height) - FRAME_LINES)
        rows, width = self.rows, options.max_width
        if _fits_table(rows, width):
            shown = _chosen(rows, lambda _: 1, room)
            yield _table(shown, width)
        else:
            shown = _chosen(rows, lambda row: len(_record(row, console, width)), room)
            yield Text("\n").join(line for row in shown for line in _record(row, console, width))
        for line in (f"{counts(rows)}{_hidden(len(rows) - len(shown))}", self.trouble):
            if line:
                style = "yellow" if line is self.trouble else "dim"
                yield Text(f"  {line}", style=style, no_wrap=False, overflow="fold")

    def fits(self, console: Console) -> bool:
        """Whether all rows fit."""
        rows, width = self.rows, console.width
        lines = (
            len(rows)
            if _fits_table(rows, width)
            else sum(len(_record(row, console, width)) for row in rows)
        )
        return lines <= console.height - FRAME_LINES

    def whole(self, console: Console) -> RenderableType:
        """The table with all rows."""
        rows, width = self.rows, console.width
        if _fits_table(rows, width):
            return _table(rows, width)
        return Text("\n").join(line for row in rows for line in _record(row, console, width))


def counts(rows: Iterable[Row]) -> str:
    """The number of jobs in each state, in the order of the states."""
    found = Counter(row.label for row in rows)
    known = [state_name(state) for state in STATES]
    order = sorted(found, key=lambda label: known.index(label) if label in known else len(known))
    return ", ".join(f"{found[label]} {label}" for label in order) or "no jobs"


def _hidden(count: int) -> str:
    return f"; {count} not shown" if count else ""


def _chosen(rows: Sequence[Row], height: Callable[[Row], int], room: int) -> Sequence[Row]:
    """The most relevant rows that fit, in their order."""
    chosen, taken = set[str](), 0
    for row in _by_interest(rows):
        taken += height(row)
        if taken > room and chosen:
            break
        chosen.add(row.job_id)
    return [row for row in rows if row.job_id in chosen]


def _by_interest(rows: Sequence[Row]) -> Iterator[Row]:
    yield from (row for row in rows if row.running)
    over = (row for row in rows if row.over)
    yield from sorted(over, key=lambda row: row.ended or 0.0, reverse=True)
    yield from (row for row in rows if not row.over and not row.running)


def _fits_table(rows: Sequence[Row], width: int) -> bool:
    """Whether a table fits each id, state and name in one line."""
    columns = [
        ID_COLUMNS,
        max((STATE_COLUMNS, *(len(row.progress() or row.verdict) for row in rows))),
        TIME_COLUMNS,
        max((cell_len(r.name) for r in rows), default=0),
    ]
    if width >= WIDE_COLUMNS:
        columns += [STATE_COLUMNS, LABEL_COLUMNS]
    return sum(columns) + GAP * (len(columns) + 1) <= width


def _record(row: Row, console: Console, width: int) -> list[Text]:
    """A row as several lines: the id, then state, time and name."""
    style = STYLES.get(row.state, "cyan")
    state = Text.assemble("  ", (row.progress() or row.verdict, style), f" {_time(row.seconds)}")
    name = Text(f"  {row.name}") if row.name else Text()
    return [
        line
        for text in (Text(row.job_id), state, name)
        if text
        for line in text.wrap(console, width, overflow="fold")
    ]


def _table(rows: Sequence[Row], width: int) -> Table:
    wide = width >= WIDE_COLUMNS
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("job", no_wrap=True, min_width=ID_COLUMNS)
    table.add_column("state", no_wrap=True, min_width=STATE_COLUMNS)
    if wide:
        table.add_column("progress", no_wrap=True, min_width=STATE_COLUMNS)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("name", no_wrap=True)
    if wide:
        table.add_column("labels", no_wrap=True, overflow="ellipsis", min_width=LABEL_COLUMNS)
    for row in rows:
        style, time_taken, name = STYLES.get(row.state, "cyan"), _time(row.seconds), Text(row.name)
        if wide:
            state = Text(row.verdict, style=style)
            table.add_row(row.job_id, state, row.progress(), time_taken, name, Text(row.labels))
        else:
            state = Text(row.progress() or row.verdict, style=style)
            table.add_row(row.job_id, state, time_taken, name)
    return table


def _time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
