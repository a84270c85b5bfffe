"""Shows how far a load is, on stderr."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from maie_cli.console import err, note
from maie_cli.load.load import Load
from maie_cli.load.runs import State
from maie_runtime.background import background_tasks

DRAW_SECONDS = 0.25
# Between two lines of a log.
LINE_SECONDS = 10.0


@asynccontextmanager
async def shown(load: Load, *, quiet: bool) -> AsyncIterator[None]:
    """Shows a bar on a terminal, and a line now and then elsewhere."""
    if quiet:
        yield
    elif err.is_terminal:
        with Progress(
            BarColumn(bar_width=32),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=err,
            transient=True,
        ) as progress:
            async with background_tasks(_draw(load, progress)):
                yield
    else:
        async with background_tasks(_log(load)):
            yield


async def _draw(load: Load, progress: Progress) -> None:
    bar = progress.add_task(_line(load), total=load.count)
    while True:
        progress.update(bar, completed=_ended(load), description=_line(load))
        await asyncio.sleep(DRAW_SECONDS)


async def _log(load: Load) -> None:
    while True:
        await asyncio.sleep(LINE_SECONDS)
        note(_line(load))


def _ended(load: Load) -> int:
    return len(load.runs) - load.count_of(State.RUNNING)


def _line(load: Load) -> str:
    """What became of how many so far, such as "43 of 100, 10 running, 1 failed"."""
    failed = load.count_of(State.FAILED)
    running = f"{_ended(load)} of {load.count}, {load.count_of(State.RUNNING)} running"
    return f"{running}, {failed} failed" if failed else running
