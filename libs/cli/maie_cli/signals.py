"""Signals that a command handles for a while."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager


@contextmanager
def handled(numbers: Collection[signal.Signals], on_signal: Callable[[], None]) -> Iterator[None]:
    """Calls `on_signal` in the event loop at each of these signals.

    Afterwards they do what they did before. asyncio alone would leave Ctrl-C to Python, which
    raises KeyboardInterrupt wherever it is: in a callback of a library that ignores it, it is lost.
    """
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
