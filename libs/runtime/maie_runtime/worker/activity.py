"""What a worker runs now, for its heartbeat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from maie.event.v1 import event_pb2 as event
from maie_runtime.worker.stage import Streams
from maie_runtime.worker.work import DIRECT, Work


class Activity:
    """The units and direct calls that have a slot, and the live tracks.

    Args:
        streams: Answers live speech; None where there is none.
    """

    def __init__(self, streams: Streams | None = None) -> None:
        self._streams = streams
        self._running: dict[Work, event.RunningUnit] = {}

    @asynccontextmanager
    async def around(self, work: Work) -> AsyncIterator[None]:
        """Notes a unit or a direct call while the context lasts."""
        is_call = work.unit == DIRECT
        running = event.RunningUnit(
            job_id="" if is_call else work.job_id, unit=work.unit, attempt=work.attempt
        )
        running.start_time.GetCurrentTime()
        self._running[work] = running
        try:
            yield
        finally:
            del self._running[work]

    def fill(self, info: event.WorkerInfo) -> bool:
        """Writes into a worker's entry what it runs now; gives whether that is new."""
        tracks, running = self._streams.tracks if self._streams else 0, [*self._running.values()]
        if info.live_tracks_in_use == tracks and list(info.running) == running:
            return False
        info.live_tracks_in_use = tracks
        del info.running[:]
        info.running.extend(running)
        return True
