"""Ctrl-C and SIGTERM for commands that run a mesh."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from maie_cli.console import note
from maie_cli.mesh.local import LocalMesh
from maie_cli.signals import handled

# A closed terminal sends SIGHUP.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """The received signals.

    Attributes:
        count: Their number.
    """

    def __init__(self) -> None:
        self.count = 0


@contextmanager
def interruptible(mesh: LocalMesh) -> Iterator[Interrupts]:
    """The first signal cancels this task for an orderly stop; the second stops the mesh at once."""
    task, interrupts = asyncio.current_task(), Interrupts()

    def on_signal() -> None:
        interrupts.count += 1
        if interrupts.count == 1 and task is not None:
            note("stopping; once more stops at once")
            task.cancel()
        else:
            mesh.hurry()

    with handled(STOP_SIGNALS, on_signal):
        yield interrupts
