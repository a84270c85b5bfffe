"""A gateway for live speech with replicas of a typed engine, around a real nats-server."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from maie_client import Client
from maie_diarization.clustering.linkage import Floats
from maie_diarization.live.service import open_live
from maie_diarization.settings import DiarizationSettings
from maie_diarization.settings import LiveSettings as DiarizationLiveSettings
from maie_diarization.stage import DiarizeStage
from maie_enhancement.settings import EnhancementSettings
from maie_enhancement.stage import open_stage as open_enhancement
from maie_gateway.live.settings import LiveSettings
from maie_gateway.live.tracks import pace
from maie_pipeline.bindings import BINDINGS
from maie_runtime.blobs import Blobs
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.worker.server import serve_stage
from maie_summary.settings import SummarySettings
from maie_summary.stage import open_stage as open_summary
from tests.diarization.live.calling import PitchEngine, apart
from tests.gateway.conftest import EmptyMesh
from tests.gateway.live.conversation import Conversation, talking
from tests.gateway.live.loud_asr import Replica, replica


@dataclass(kw_only=True)
class LiveMesh:
    """The parts of a mesh for live speech.

    Attributes:
        empty: The mesh: its gateways and the stages after the session.
        broker: A connection of the test's own.
        settings: The settings of live speech.
    """

    empty: EmptyMesh
    broker: Broker
    settings: dict[str, Any] = field(default_factory=dict)

    def gateway(self, **settings: Any) -> AbstractAsyncContextManager[str]:
        """A gateway; gives its address."""
        # One that is stopped while clients stay waits for no linger of theirs.
        options = {"linger_seconds": 0.0, **self.settings, **settings}
        self.empty.gateway_options["live"] = LiveSettings(**options)
        return self.empty.gateway()

    def replica(
        self, name: str = "asr-1", tracks: int = 100
    ) -> AbstractAsyncContextManager[Replica]:
        """An ASR replica."""
        return replica(self.broker, name, tracks)

    @asynccontextmanager
    async def running(self, **settings: Any) -> AsyncIterator[tuple[str, Replica]]:
        """A replica and a gateway; gives the gateway's address and the replica."""
        async with self.replica() as first, self.gateway(**settings) as address:
            yield address, first

    @asynccontextmanager
    async def talking(self, **settings: Any) -> AsyncIterator[tuple[Conversation, Replica]]:
        """A call at a gateway with a replica."""
        async with self.running(**settings) as (address, first), talking(address) as talk:
            yield talk, first

    def enhancement(self, **settings: Any) -> AbstractAsyncContextManager[str]:
        """An enhancement service with the engine `rules`; gives its address."""
        options = EnhancementSettings(mesh=self.empty.mesh, listen="127.0.0.1:0", **settings)
        return serve_stage(BINDINGS["enhancement"], options, partial(open_enhancement, options))

    def diarization(
        self,
        voice: Callable[[int], int],
        name: str = "diarization-1",
        sound: Callable[[int], Floats] = apart,
    ) -> AbstractAsyncContextManager[str]:
        """A diarization service whose engine takes levels for voices; gives its address."""
        settings = DiarizationSettings(
            mesh=self.empty.mesh,
            listen="127.0.0.1:0",
            instance=name,
            live=DiarizationLiveSettings(workers=1),
        )

        @asynccontextmanager
        async def opened(_: Blobs) -> AsyncIterator[DiarizeStage]:
            engine = PitchEngine(voice, sound)
            with ThreadPoolExecutor(1) as executor:
                async with open_live(settings, engine) as live:
                    yield DiarizeStage(engine, executor, live)

        return serve_stage(BINDINGS["diarization"], settings, opened)

    @asynccontextmanager
    async def stages(self) -> AsyncIterator[None]:
        """The stages that work on what a session became."""
        async with AsyncExitStack() as stack:
            for slug in ("enhancement", "summary"):
                await stack.enter_async_context(self.empty.service(slug))
            yield

    @asynccontextmanager
    async def text_stages(self) -> AsyncIterator[None]:
        """The real stages for text with their own engines, which need no GPU."""
        summary = SummarySettings(mesh=self.empty.mesh, listen="127.0.0.1:0")
        async with (
            self.enhancement(),
            serve_stage(BINDINGS["summary"], summary, partial(open_summary, summary)),
        ):
            yield


@pytest.fixture
def live_mesh(empty_mesh: EmptyMesh, broker: Broker) -> Iterator[LiveMesh]:
    """The parts of a mesh for live speech, none started."""
    with _at_any_pace():
        yield LiveMesh(empty=empty_mesh, broker=broker)


@pytest.fixture(scope="module")
async def shared_live_mesh(shared_mesh: EmptyMesh) -> AsyncIterator[LiveMesh]:
    """The parts of a mesh for live speech that the tests of a file share."""
    async with open_provisioned_broker(shared_mesh.nats.url, "test") as broker:
        with _at_any_pace():
            yield LiveMesh(empty=shared_mesh, broker=broker)


@contextmanager
def _at_any_pace() -> Iterator[None]:
    """Warns of no audio that comes late, as tests send it on a slow machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "SLOW_SECONDS", math.inf)
        yield


@asynccontextmanager
async def client_of(address: str) -> AsyncIterator[Client]:
    """A client of JobService."""
    async with Client(address) as client:
        yield client
