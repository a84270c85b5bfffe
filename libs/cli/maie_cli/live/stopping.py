"""Ctrl-C and SIGTERM for a command that listens."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from maie_cli.signals import handled

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable(stop: Callable[[], None]) -> Iterator[None]:
    """The first signal stops in order; the second cancels this task.

    Args:
        stop: Called at the first signal.
    """
    task, count = asyncio.current_task(), 0

    def on_signal() -> None:
        nonlocal count
        count += 1
        if count == 1:
            stop()
        elif task is not None:
            task.cancel()

    # A shell's setting to ignore Ctrl-C for background jobs is kept.
    caught = [each for each in STOP_SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    with handled(caught, on_signal):
        yield
