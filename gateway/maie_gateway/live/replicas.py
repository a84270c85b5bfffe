"""The ASR replicas that take live tracks, and which of them takes the next one."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import TypeAlias

import structlog

from maie.asr.v1 import streaming_pb2 as asr
from maie.asr.v1.streaming_pb2_grpc import StreamingAsrServiceStub
from maie.common.v1 import types_pb2 as common
from maie_core.reasons import Reason
from maie_gateway.engine.workers import LiveWorkers
from maie_runtime.background import background_tasks
from maie_runtime.rpc.duplex import DuplexCall, Peer

log = structlog.get_logger()

AsrCall: TypeAlias = DuplexCall[asr.StreamingRecognizeRequest, asr.StreamingRecognizeResponse]

# A replica that failed comes after all others for so long.
AVOID_SECONDS = 30.0
TIDY_SECONDS = 15.0


class Replicas:
    """Chooses among the live ASR workers, and keeps a connection to each that is used.

    Args:
        workers: The live workers.
    """

    def __init__(self, workers: LiveWorkers) -> None:
        self._workers = workers
        self._peers: dict[str, Peer[StreamingAsrServiceStub]] = {}
        self._tracks: Counter[str] = Counter()
        self._avoided: dict[str, float] = {}

    def choose(self, tried: Collection[str]) -> str | None:
        """The address of the replica for the next track; None where none is left to try.

        One that failed lately comes last. Of the others, the one with the fewest of this
        gateway's tracks for what it takes.

        Args:
            tried: The addresses not to choose.
        """
        places = {
            info.address: max(info.live_tracks, 1)
            for info in self._workers.known_workers()
            if info.stage == common.STAGE_ASR and info.live_tracks and info.address not in tried
        }
        now = time.monotonic()
        return min(
            places,
            key=lambda address: (
                self._avoided.get(address, now) > now,
                self._tracks[address] / places[address],
                random.random(),
            ),
            default=None,
        )

    def check(self, options: asr.StreamingOptions, field: str) -> None:
        """Refuses options that no replica supports; accepts any where none is known.

        Args:
            options: What a client said.
            field: Where it said so, such as "configure.options".

        Raises:
            StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
        """
        self._workers.check_asr_options(options.transcribe, f"{field}.transcribe")
        self._workers.check_turns(options.turns, f"{field}.turns")

    def avoid(self, address: str) -> None:
        """Notes that a replica failed."""
        self._avoided[address] = time.monotonic() + AVOID_SECONDS

    @asynccontextmanager
    async def call(self, address: str) -> AsyncIterator[AsrCall]:
        """A call of a replica; ended with the context."""
        peer = self._peers.get(address)
        if peer is None:
            peer = self._peers[address] = Peer(address, StreamingAsrServiceStub)
        self._tracks[address] += 1
        call = AsrCall(peer.stub.StreamingRecognize(), Reason.LIVE_UNAVAILABLE)
        try:
            yield call
        finally:
            call.cancel()
            self._tracks[address] -= 1

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
            if not self._tracks[address]:
                del self._tracks[address]
                await self._peers.pop(address).close()
