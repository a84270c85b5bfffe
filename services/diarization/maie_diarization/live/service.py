"""Live speech: admits tracks, tells their speakers apart, and ends them when the service stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import numpy as np

from maie.diarization.v1 import streaming_pb2 as streaming
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_diarization.engine import Engine
from maie_diarization.live.listener import LiveListener
from maie_diarization.live.messages import Response
from maie_diarization.live.requests import beginning_of
from maie_diarization.live.track import Requests, Track
from maie_diarization.live.windows import WINDOW
from maie_diarization.settings import DiarizationSettings
from maie_speech.live.requests import out_of_order
from maie_speech.live.stalls import StallWatch

# Tracks end after minutes, and their load changes within seconds.
BUSY_RETRY_AFTER = timedelta(seconds=5)
# No track is taken while a window has waited so long for a worker: each second brings another one
# of each track.
LATE_SECONDS = 0.5


class LiveService:
    """Tells the speakers of many tracks apart.

    Args:
        settings: The service's settings.
        engine: What finds voices.
        executor: Where it runs.

    Attributes:
        limit: How many tracks it takes.
    """

    def __init__(self, settings: DiarizationSettings, engine: Engine, executor: Executor) -> None:
        self.limit = settings.live_tracks
        self._engine = engine
        self._stalls = StallWatch(settings.live.stall_seconds)
        self._listener = LiveListener(engine, executor, settings.live.worker_count, self._stalls)
        self._tracks: set[Track] = set()
        self._draining = False

    @property
    def tracks(self) -> int:
        """How many tracks there are now."""
        return len(self._tracks)

    async def answer(self, requests: Requests) -> AsyncGenerator[Response, None]:
        """Tells the speakers of one track apart.

        Args:
            requests: Its messages.

        Raises:
            StageError: RESOURCE_EXHAUSTED with LIVE_BUSY, UNAVAILABLE with WORKER_STOPS, and those
                of `beginning_of` and `Track`.
        """
        first = await anext(requests, None)
        if first is None:
            raise out_of_order("The call had no message; send `config` first.")
        space = self._engine.embedding_space
        beginning = beginning_of(first, space)
        self._admit()
        track = Track(
            beginning,
            calibration=self._engine.calibration,
            space=space,
            listen=self._listener.listen,
        )
        self._tracks.add(track)
        try:
            yield Response(ready=streaming.StreamingDiarizeReady(engine=self._engine.version))
            async with aclosing(track.run(requests)) as responses:
                async for response in responses:
                    yield response
        finally:
            self._tracks.discard(track)

    async def watch(self) -> None:
        """Waits as long as the engine listens.

        Raises:
            StageError: DEADLINE_EXCEEDED with STALLED: it does not return. No track is served any
                more: its own has got the error, and all others UNAVAILABLE with WORKER_STOPS.
        """
        try:
            await self._stalls.watch()
        except StageError:
            self._draining = True
            for track in self._tracks:
                track.fail(_stops())
            raise

    async def drain(self) -> None:
        """Ends all tracks after what they have heard, and tells callers to go elsewhere."""
        self._draining = True
        await asyncio.gather(*(track.shut_down() for track in self._tracks))

    async def warm_up(self) -> None:
        """Listens to noise, so that the first window is as fast as the tenth."""
        noise = np.random.default_rng(1).integers(-300, 300, WINDOW, np.int16)
        started = time.monotonic()
        await self._listener.listen(noise, _nobody)
        self._stalls.allow_for(time.monotonic() - started)

    def _admit(self) -> None:
        if self._draining:
            raise _stops()
        if len(self._tracks) >= self.limit or self._listener.lateness() > LATE_SECONDS:
            raise StageError(
                Code.RESOURCE_EXHAUSTED,
                Reason.LIVE_BUSY,
                "The service could not tell the speakers of another track apart in time; try "
                "another replica, or again in a few seconds.",
                retry_after=BUSY_RETRY_AFTER,
            )


def _stops() -> StageError:
    return StageError(
        Code.UNAVAILABLE, Reason.WORKER_STOPS, "The worker stops; try again with another one."
    )


def _nobody(_: StageError) -> None:
    """Nobody waits for a warm-up: the service has not begun."""


@asynccontextmanager
async def open_live(
    settings: DiarizationSettings, engine: Engine
) -> AsyncIterator[LiveService | None]:
    """Opens live speech, if the settings ask for it.

    Args:
        settings: The service's settings.
        engine: The engine for recordings.
    """
    if not settings.live_tracks:
        yield None
        return
    with ThreadPoolExecutor(settings.live.worker_count, "live-diarization") as executor:
        service = LiveService(settings, engine, executor)
        await service.warm_up()
        yield service
