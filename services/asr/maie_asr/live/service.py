"""Live speech: admits tracks, recognises them, and ends them when the service stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import numpy as np

from maie.asr.v1 import streaming_pb2 as streaming
from maie_asr.engine import SAMPLE_RATE, Engine
from maie_asr.live.engine import Effort, LiveEngine
from maie_asr.live.judge import Judge
from maie_asr.live.listening import Detector, SileroDetector
from maie_asr.live.load import LoadMeter
from maie_asr.live.messages import Response
from maie_asr.live.models import open_live_engine
from maie_asr.live.options import TrackOptions, track_options
from maie_asr.live.requests import config_of
from maie_asr.live.scheduler import Scheduler
from maie_asr.live.track import Requests, Track
from maie_asr.live.turn_model import TurnModel, open_turn_model
from maie_asr.live.utterance import Recognizer
from maie_asr.settings import AsrSettings
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.worker.cores import usable_cores
from maie_speech.live.requests import out_of_order
from maie_speech.live.stalls import StallWatch

# Tracks end after minutes, and their load changes within seconds.
BUSY_RETRY_AFTER = timedelta(seconds=5)
# No track is taken while a final has waited so long for a worker.
LATE_SECONDS = 0.5
# Recordings wait so long for live speech before each segment, at most: they must go on as well.
GIVE_WAY_SECONDS = 1.0
MAX_LISTENING_THREADS = 4
WARM_UP_SAMPLES = SAMPLE_RATE


class LiveService:
    """Recognises many tracks at a time.

    Args:
        settings: The service's settings.
        engine: What reads them.
        live: How it reads.
        detector: Finds speech.
        executor: Where the detector runs.
        turn_model: Judges whether speakers are done; None where silence alone does.

    Attributes:
        limit: How many tracks it takes.
    """

    def __init__(
        self,
        settings: AsrSettings,
        engine: Engine,
        live: LiveEngine,
        detector: Detector,
        executor: Executor,
        turn_model: TurnModel | None = None,
    ) -> None:
        self.limit = settings.live_tracks
        self._settings = settings
        self._engine = engine
        self._detector = detector
        self._executor = executor
        self._meter = LoadMeter(settings.live.worker_count, time.monotonic)
        self._stalls = StallWatch(settings.live.stall_seconds)
        self._scheduler = Scheduler(settings.live.worker_count, self._meter, self._stalls)
        wait_seconds = settings.live.turn_answer_seconds
        self._recognizer = Recognizer(
            engine=live,
            scheduler=self._scheduler,
            suspect_text=settings.suspect_text,
            judge=Judge(turn_model, self._scheduler, wait_seconds) if turn_model else None,
        )
        self._tracks: set[Track] = set()
        self._draining = False

    @property
    def tracks(self) -> int:
        """How many tracks there are now."""
        return len(self._tracks)

    async def answer(self, requests: Requests) -> AsyncGenerator[Response, None]:
        """Recognises one track.

        Args:
            requests: Its messages.

        Raises:
            StageError: RESOURCE_EXHAUSTED with LIVE_BUSY, UNAVAILABLE with WORKER_STOPS, and those
                of `config_of` and `Track`.
        """
        first = await anext(requests, None)
        if first is None:
            raise out_of_order("The call had no message; send `config` first.")
        config = config_of(first)
        track = Track(
            config,
            configure=self._options,
            recognizer=self._recognizer,
            listener=self._detector.open(),
            executor=self._executor,
            meter=self._meter,
        )
        self._admit()
        self._tracks.add(track)
        try:
            yield Response(ready=self._ready(track.options))
            async with aclosing(track.run(requests)) as responses:
                async for response in responses:
                    yield response
        finally:
            self._tracks.discard(track)

    async def watch(self) -> None:
        """Waits as long as the engine reads.

        Raises:
            StageError: DEADLINE_EXCEEDED with STALLED: a reading does not return. No track is
                served any more: its own has got the error, and all others UNAVAILABLE with
                WORKER_STOPS.
        """
        try:
            await self._stalls.watch()
        except StageError:
            self._draining = True
            for track in self._tracks:
                track.fail(_stops())
            raise

    async def drain(self) -> None:
        """Ends all utterances, and tells callers to go elsewhere; calls end after their finals."""
        self._draining = True
        await asyncio.gather(*(track.shut_down() for track in self._tracks))

    async def give_way(self) -> None:
        """Waits a moment while live speech is read, before work that is less urgent."""
        if not self._tracks:
            return
        try:
            async with asyncio.timeout(GIVE_WAY_SECONDS):
                await self._scheduler.idle()
        except TimeoutError:
            return

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Takes tracks during the context, once the engine is warm."""
        await self._warm_up()
        async with self._scheduler.running():
            yield

    async def _warm_up(self) -> None:
        """Reads noise with each worker, so that the first reading is as fast as the tenth."""
        noise = np.random.default_rng(1).integers(-300, 300, WARM_UP_SAMPLES, np.int16)
        options = self._options(streaming.StreamingOptions()).recognize
        for effort in (Effort.FULL, Effort.PARTIAL, Effort.QUICK):
            started = time.monotonic()
            readings = (
                self._recognizer.engine.open(options).read(noise, effort)
                for _ in range(self._settings.live.worker_count)
            )
            await asyncio.gather(*readings)
            self._stalls.allow_for(time.monotonic() - started)
        self._meter.prime(time.monotonic() - started)

    def _admit(self) -> None:
        if self._draining:
            raise _stops()
        count = len(self._tracks) + 1
        late = self._scheduler.lateness() > LATE_SECONDS
        if count > self.limit or late or not self._meter.admits(count):
            raise StageError(
                Code.RESOURCE_EXHAUSTED,
                Reason.LIVE_BUSY,
                "The service could not recognise another track in time; try another replica, or "
                "again in a few seconds.",
                retry_after=BUSY_RETRY_AFTER,
            )

    def _options(self, asked: streaming.StreamingOptions) -> TrackOptions:
        return track_options(asked, self._settings, self._engine.capabilities)

    def _ready(self, options: TrackOptions) -> streaming.StreamingReady:
        return streaming.StreamingReady(
            engine=self._engine.version(options.recognize),
            punctuated=self._engine.capabilities.punctuates,
            options=options.message,
        )


def _stops() -> StageError:
    return StageError(
        Code.UNAVAILABLE, Reason.WORKER_STOPS, "The worker stops; try again with another one."
    )


@asynccontextmanager
async def open_live(
    settings: AsrSettings, engine: Engine, detector: Detector | None = None
) -> AsyncIterator[LiveService | None]:
    """Opens live speech, if the settings ask for it.

    Args:
        settings: The service's settings.
        engine: The engine for recordings.
        detector: Finds speech; unset: Silero VAD.

    Raises:
        StageError: As `open_live_engine` and `open_turn_model`.
    """
    if not settings.live_tracks:
        yield None
        return
    threads = min(usable_cores(), MAX_LISTENING_THREADS)
    with ThreadPoolExecutor(threads, "live-listening") as executor:
        if detector is None:
            detector = await asyncio.get_running_loop().run_in_executor(executor, SileroDetector)
        async with (
            open_turn_model(settings) as turn_model,
            open_live_engine(settings, engine) as (reader, live),
        ):
            service = LiveService(settings, reader, live, detector, executor, turn_model)
            async with service.running():
                yield service
