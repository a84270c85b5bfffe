"""Single keys of a terminal, without Enter."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# What the terminal sends where it has gone away.
END = b""


@contextmanager
def pressed(on_key: Callable[[str], None]) -> Iterator[bool]:
    """Calls `on_key` with each key in the context; afterwards the terminal is as before.

    Gives whether there is a terminal to read keys of.
    """
    if not sys.stdin.isatty():
        yield False
        return
    loop, source = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(source)

    def read() -> None:
        data = os.read(source, 64)
        if data == END:
            loop.remove_reader(source)
        for key in data.decode(errors="replace"):
            on_key(key)

    # At once: a key that was pressed before is not lost.
    tty.setcbreak(source, termios.TCSANOW)
    loop.add_reader(source, read)
    try:
        yield True
    finally:
        loop.remove_reader(source)
        termios.tcsetattr(source, termios.TCSADRAIN, before)
