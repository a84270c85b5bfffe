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
from maie_tls.files import CertificateFiles

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
        part: The stage's name, such as "asr".
        certificates: For TLS with them; None: plain connections.
    """

    def __init__(
        self,
        workers: LiveWorkers,
        places: Callable[[event.WorkerInfo], int],
        stub: Callable[[Any], StubT],
        part: str,
        certificates: CertificateFiles | None,
    ) -> None:
        self._workers = workers
        self._places = places
        self._stub = stub
        self._part = part
        self._certificates = certificates
        self._peers: dict[str, Peer[StubT]] = {}
        # Those whose certificates have changed since; they are closed when no call uses them.
        self._former: set[Peer[StubT]] = set()
        self._uses: Counter[Peer[StubT]] = Counter()
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
                random.random(),  # noqa: S311 - picks among equals
            ),
            default=None,
        )

    def avoid(self, address: str) -> None:
        """Notes that a replica failed."""
        self._avoided[address] = time.monotonic() + AVOID_SECONDS

    @asynccontextmanager
    async def calling(self, address: str) -> AsyncIterator[Peer[StubT]]:
        """The replica for one call, which the context counts."""
        peer = self._peer(address)
        self._calls[address] += 1
        self._uses[peer] += 1
        try:
            yield peer
        finally:
            self._calls[address] -= 1
            self._uses[peer] -= 1

    def _peer(self, address: str) -> Peer[StubT]:
        peer = self._peers.get(address)
        if peer is not None and peer.is_current:
            return peer
        if peer is not None:
            self._former.add(peer)
        made = Peer(address, self._stub, self._part, self._certificates)
        self._peers[address] = made
        return made

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Closes the connections to replicas that are gone; all of them at the end."""
        async with background_tasks(self._tidy()):
            try:
                yield
            finally:
                peers = (*self._peers.values(), *self._former)
                await asyncio.gather(*(peer.close() for peer in peers))

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            await self.tidy()

    async def tidy(self) -> None:
        """Closes the connections that nothing uses: of replicas that are gone, and former ones."""
        alive = {info.address for info in self._workers.known_workers()}
        now = time.monotonic()
        self._avoided = {name: until for name, until in self._avoided.items() if until > now}
        for address in [one for one in self._peers if one not in alive]:
            if not self._calls[address]:
                del self._calls[address]
                self._former.add(self._peers.pop(address))
        for peer in [one for one in self._former if not self._uses[one]]:
            self._former.remove(peer)
            del self._uses[peer]
            await peer.close()
