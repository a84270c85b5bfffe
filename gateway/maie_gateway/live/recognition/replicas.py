"""The replicas of a stage that a gateway calls itself, and which of them gets the next call."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from maie.event.v1 import event_pb2 as event
from maie_gateway.engine.workers import LiveWorkers
from maie_runtime.background import background_tasks
from maie_runtime.rpc.duplex import Peer

StubT = TypeVar("StubT")

# A replica that failed comes after all others for so long.
AVOID_SECONDS = 30.0
TIDY_SECONDS = 15.0


class Replicas(Generic[StubT]):
    """Chooses among the live workers, and keeps a connection to each that is used.

    Args:
        workers: The live workers.
        places: How many calls a worker takes at once; 0 where it takes none.
        stub: The generated stub of their service.
    """

    def __init__(
        self,
        workers: LiveWorkers,
        places: Callable[[event.WorkerInfo], int],
        stub: Callable[[Any], StubT],
    ) -> None:
        self._workers = workers
        self._places = places
        self._stub = stub
        self._peers: dict[str, Peer[StubT]] = {}
        self._calls: Counter[str] = Counter()
        self._avoided: dict[str, float] = {}

    def choose(self, tried: Collection[str]) -> str | None:
        """The address of the replica for the next call; None where none is left to try.

        One that failed lately comes last. Of the others, the one with the fewest of this
        gateway's calls for what it takes.

        Args:
            tried: The addresses not to choose.
        """
        places = {
            info.address: taken
            for info in self._workers.known_workers()
            if (taken := self._places(info)) and info.address not in tried
        }
        now = time.monotonic()
        return min(
            places,
            key=lambda address: (
                self._avoided.get(address, now) > now,
                self._calls[address] / places[address],
                random.random(),
            ),
            default=None,
        )

    def avoid(self, address: str) -> None:
        """Notes that a replica failed."""
        self._avoided[address] = time.monotonic() + AVOID_SECONDS

    @asynccontextmanager
    async def calling(self, address: str) -> AsyncIterator[Peer[StubT]]:
        """The replica for one call, which the context counts."""
        peer = self._peers.get(address)
        if peer is None:
            peer = self._peers[address] = Peer(address, self._stub)
        self._calls[address] += 1
        try:
            yield peer
        finally:
            self._calls[address] -= 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Closes the connections to replicas that are gone; all of them at the end."""
        async with background_tasks(self._tidy()):
            try:
                yield
            finally:
                await asyncio.gather(*(peer.close() for peer in self._peers.values()))

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            await self.tidy()

    async def tidy(self) -> None:
        """Closes the connections that nothing uses to replicas that are gone."""
        alive = {info.address for info in self._workers.known_workers()}
        now = time.monotonic()
        self._avoided = {name: until for name, until in self._avoided.items() if until > now}
        for address in [one for one in self._peers if one not in alive]:
            if not self._calls[address]:
                del self._calls[address]
                await self._peers.pop(address).close()
