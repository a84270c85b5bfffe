"""Shows running jobs on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_cli.console import err
from maie_cli.names import STAGES, stage_name, state_name
from maie_core.durations import seconds
from maie_formats.clean import plain
from maie_formats.transcript import clock
from maie_formats.warnings import sentence

DONE = 1.0


class View(Protocol):
    """Shows the events of jobs.

    Attributes:
        shows_warnings: Whether each warning is shown when it occurs.
    """

    shows_warnings: bool

    def show(self, name: str, event: job.JobEvent) -> None:
        """Shows an event of the job of a recording.

        Args:
            name: The recording.
            event: The event.
        """
        ...


class SilentView:
    """Shows nothing."""

    shows_warnings = False

    def show(self, name: str, event: job.JobEvent) -> None:
        """Shows nothing."""


class LineView:
    """Prints a line for each change of state and each warning, for logs and pipes."""

    shows_warnings = True

    def __init__(self, console: Console = err) -> None:
        self._console = console

    def show(self, name: str, event: job.JobEvent) -> None:
        """Prints a line for a relevant event."""
        if line := _line(event):
            self._console.print(f"{plain(name)}: {line}", soft_wrap=True)


class WithText:
    """Shows each segment when it is first recognised, and other events in another view."""

    def __init__(self, view: View, console: Console | Progress) -> None:
        self.shows_warnings = view.shows_warnings
        self._view = view
        self._console = console.console if isinstance(console, Progress) else console
        # The texts that were shown, by the segment as it was recognised.
        self._shown: dict[str, str] = {}

    def show(self, name: str, event: job.JobEvent) -> None:
        """Prints new text, above any bars."""
        if event.HasField("segment"):
            self._print(event.segment)
        self._view.show(name, event)

    def _print(self, segment: common.Segment) -> None:
        recognised, _, part = segment.segment_id.partition("-p")
        before = self._shown.get(recognised)
        # Of a segment that was split where the speaker changes, all parts were shown as one.
        if before is not None and (not part or segment.text.strip() in before):
            return
        self._shown.setdefault(recognised, segment.text)
        start = clock(seconds(segment.start_offset))
        self._console.print(Text.assemble((f"[{start}] ", "dim"), plain(segment.text)))


class StageBars:
    """Shows a bar for each stage, for one job on a terminal."""

    shows_warnings = False

    def __init__(self, progress: Progress, stages: Iterable[common.Stage] = STAGES) -> None:
        self._progress = progress
        self._bars: dict[common.Stage, TaskID] = {
            stage: progress.add_task(stage_name(stage), total=DONE, start=False, note="")
            for stage in stages
        }

    def show(self, name: str, event: job.JobEvent) -> None:
        """Moves the bars."""
        if event.HasField("stage_progress"):
            self._move(event.stage_progress)
        elif event.HasField("finished"):
            for stage_progress in event.finished.job.progress:
                self._move(stage_progress)
            for bar in self._bars.values():
                self._progress.stop_task(bar)

    def _move(self, progress: job.StageProgress) -> None:
        bar = self._bars.get(progress.stage)
        if bar is None:
            return
        if progress.fraction > 0:
            self._progress.start_task(bar)
        note = f"{progress.ended_units}/{progress.total_units}" if progress.total_units > 1 else ""
        self._progress.update(bar, completed=progress.fraction, note=note)
        if progress.fraction >= DONE:
            self._progress.stop_task(bar)


class FileBars:
    """Shows a bar for each recording, for many jobs on a terminal."""

    shows_warnings = False

    def __init__(self, progress: Progress, names: Iterable[str]) -> None:
        self._progress = progress
        self._bars = {
            name: progress.add_task(Text(plain(name)).markup, total=DONE, note="waiting")
            for name in names
        }
        self._fractions: dict[str, dict[common.Stage, float]] = {name: {} for name in self._bars}

    def show(self, name: str, event: job.JobEvent) -> None:
        """Moves the recording's bar."""
        if event.HasField("stage_progress"):
            progress = event.stage_progress
            self._fractions[name][progress.stage] = progress.fraction
            share = sum(self._fractions[name].values()) / len(STAGES)
            self._progress.update(self._bars[name], completed=share)
        elif event.HasField("state_changed"):
            self._progress.update(self._bars[name], note=state_name(event.state_changed.state))
        elif event.HasField("finished"):
            self._progress.update(self._bars[name], completed=DONE)
            self._progress.stop_task(self._bars[name])


@contextmanager
def view_of(names: list[str], *, quiet: bool = False) -> Iterator[View]:
    """The view for stderr and the number of recordings."""
    if quiet:
        yield SilentView()
    elif not err.is_terminal:
        yield LineView()
    else:
        with bars() as progress:
            yield StageBars(progress) if len(names) == 1 else FileBars(progress, names)


@contextmanager
def counted(total: int, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """One bar on stderr for many recordings; gives what counts one that ended."""
    if quiet:
        yield lambda: None
        return
    with bars() as progress:
        bar = progress.add_task("recordings", total=total, note="")
        yield lambda: progress.advance(bar)


def bars(console: Console = err) -> Progress:
    """Bars with a name, a percentage, a note and the time."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
    )


def _line(event: job.JobEvent) -> str:
    if event.HasField("accepted"):
        return f"accepted as job {event.accepted.job_id}"
    if event.HasField("state_changed"):
        return state_name(event.state_changed.state)
    if event.HasField("warning"):
        return f"warning: {sentence(event.warning)}"
    if event.HasField("unit_ended") and event.unit_ended.HasField("failure"):
        failure = event.unit_ended.failure
        again = event.unit_ended.state == job.UNIT_STATE_QUEUED
        return f"{event.unit_ended.unit}: {plain(failure.message)}{' Trying again.' * again}"
    return ""
