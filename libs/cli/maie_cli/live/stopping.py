"""Ctrl-C and SIGTERM for a command that listens."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable(stop: Callable[[], None]) -> Iterator[None]:
    """The first signal stops in order; the second cancels this task.

    Args:
        stop: Called at the first signal.
    """
    loop, task, count = asyncio.get_running_loop(), asyncio.current_task(), 0

    def on_signal() -> None:
        nonlocal count
        count += 1
        if count == 1:
            stop()
        elif task is not None:
            task.cancel()

    # A shell's setting to ignore Ctrl-C for background jobs is kept.
    caught = [each for each in STOP_SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    for number in caught:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
