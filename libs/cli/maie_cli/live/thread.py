"""A thread whose work nobody needs to wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class DaemonThread:
    """Runs blocking work, one piece after another.

    A read of a pipe without a writer never ends: the process does not wait for
    this thread when it ends.

    Args:
        name: The thread's name.
    """

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    async def run(self, work: Callable[[], T]) -> T:
        """Runs a function on the thread; raises its error."""
        return await asyncio.wrap_future(self._submit(work))

    def stop(self, last: Callable[[], object]) -> None:
        """Ends the thread once its work is done, with this function as the last."""
        self._submit(last)
        self._work.put(None)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        answer: Future[T] = Future()
        self._work.put((answer, work))
        return answer

    def _serve(self) -> None:
        while (item := self._work.get()) is not None:
            answer, work = item
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(work())
            except BaseException as error:  # noqa: BLE001 # whoever waits for it gets it
                answer.set_exception(error)
