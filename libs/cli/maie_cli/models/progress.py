"""Shows the progress of a download by any client."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from maie_cli.console import err, note

LOOK_SECONDS = 0.5
MEGABYTE = 1_000_000
# Log lines: one for each tenth, or for this many megabytes if the size is unknown.
TENTHS = 10
STEP_MB = 100


@contextmanager
def progress_of(name: str, folder: Path, size_mb: int) -> Iterator[None]:
    """Shows the growth of a folder on stderr: a bar on a terminal, lines elsewhere.

    Args:
        name: The name of the download.
        folder: The folder of its files.
        size_mb: Their size in megabytes; 0 if unknown.
    """
    ended = threading.Event()
    show = _bar if err.is_terminal else _lines
    thread = threading.Thread(target=show, args=(name, folder, size_mb, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _bar(name: str, folder: Path, size_mb: int, ended: threading.Event) -> None:
    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(name, total=size_mb * MEGABYTE or None)
        while not ended.wait(LOOK_SECONDS):
            progress.update(task, completed=_size_of(folder))


def _lines(name: str, folder: Path, size_mb: int, ended: threading.Event) -> None:
    step = size_mb / TENTHS or STEP_MB
    shown = 0
    whole = f" of {size_mb}" if size_mb else ""
    while not ended.wait(LOOK_SECONDS):
        there = _size_of(folder) / MEGABYTE
        if int(there / step) > shown:
            shown = int(there / step)
            note(f"{name}: {there:.0f}{whole} MB")


def _size_of(folder: Path) -> int:
    """The size of all files below a folder in bytes; files may appear and vanish meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total
