"""One live track: a call from its config to its last final."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from concurrent.futures import Executor
from contextlib import aclosing
from typing import Any

from maie.asr.v1 import streaming_pb2 as streaming
from maie_asr.engine import SAMPLE_RATE
from maie_asr.live.engine import LiveReading
from maie_asr.live.listening import Listener
from maie_asr.live.load import LoadMeter
from maie_asr.live.messages import Response, final_event, progress_event
from maie_asr.live.options import TrackOptions
from maie_asr.live.speaker import Ending, Speaker
from maie_asr.live.utterance import Recognizer
from maie_core.errors import StageError
from maie_core.failures import as_stage_error
from maie_core.live_options import overlay
from maie_core.samples import SAMPLE_BYTES, samples
from maie_runtime.background import end
from maie_speech.live.outbox import Outbox
from maie_speech.live.requests import check_audio, check_silence, out_of_order
from maie_speech.turn_machine import TurnMachine
from maie_speech.turns import TurnCause

# Audio after which progress is reported, and the longest time without a report: a caller takes a
# service that says nothing for frozen.
PROGRESS_SAMPLES = SAMPLE_RATE
PROGRESS_SECONDS = 2.0
# Utterances that wait for their finals before the caller has to wait: this slows down audio that
# comes faster than it is spoken, and bounds the memory of a track.
MAX_PENDING = 2

Request = streaming.StreamingRecognizeRequest
Requests = AsyncIterator[streaming.StreamingRecognizeRequest]
Configure = Callable[[streaming.StreamingOptions], TrackOptions]


class Track:
    """Recognises one track.

    Args:
        config: Where it begins, and how it is recognised.
        configure: Checks options, and fills them in.
        recognizer: Reads its utterances.
        listener: Finds its speech.
        executor: Where the listener runs.
        meter: Counts its audio.

    Attributes:
        options: What it is recognised by.

    Raises:
        StageError: As `track_options`.
    """

    def __init__(
        self,
        config: streaming.StreamingConfig,
        *,
        configure: Configure,
        recognizer: Recognizer,
        listener: Listener,
        executor: Executor,
        meter: LoadMeter,
    ) -> None:
        self._asked = config.options
        self._configure = configure
        self.options = configure(self._asked)
        self._recognizer = recognizer
        self._meter = meter
        self._outbox = Outbox[Response]()
        start = samples(config.start_offset)
        self._speaker = Speaker(
            machine=TurnMachine(
                self.options.rules,
                start=start,
                settled=samples(config.settled_offset),
                number=config.next_utterance or 1,
            ),
            start=start,
            options=self.options,
            recognizer=recognizer,
            listener=listener,
            executor=executor,
            outbox=self._outbox,
            ended=self._add,
        )
        # Utterances without a final, the oldest first.
        self._endings: deque[Ending] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed_by: TurnCause | None = None
        self._reported = start
        # A shutdown may come while a message is worked on.
        self._lock = asyncio.Lock()

    async def run(self, requests: Requests) -> AsyncGenerator[Response, None]:
        """Yields the track's events. Closing the iteration drops what was not read yet.

        Args:
            requests: The messages after the config.

        Raises:
            StageError: INVALID_ARGUMENT with STREAM_OUT_OF_ORDER, AUDIO_PART_INVALID and those of
                `track_options`; others from the engine.
        """
        work = (self._take_all(requests), self._finish_all(), self._report_on())
        tasks = [asyncio.create_task(self._guard(each)) for each in work]
        try:
            async with aclosing(self._outbox.events()) as events:
                async for event in events:
                    yield event
        finally:
            await end(*tasks)
            self._speaker.abandon()
            for ending in self._endings:
                self._recognizer.scheduler.withdraw(ending.job)

    async def shut_down(self) -> None:
        """Ends the current utterance, and takes no more audio; the call ends after its finals."""
        async with self._lock:
            if self._closed_by is None:
                self._outbox.put(Response(go_away=streaming.StreamingGoAway()))
                self._close(TurnCause.SHUTDOWN)

    def fail(self, error: StageError) -> None:
        """Ends the call after the events so far."""
        self._outbox.finish(error)

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the caller gets it as a status
            self._outbox.finish(as_stage_error(error))

    async def _take_all(self, requests: Requests) -> None:
        async for request in requests:
            await self._room.wait()
            await self._outbox.room()
            async with self._lock:
                # After a shutdown the caller cannot know yet that nothing is taken.
                if self._closed_by is not TurnCause.SHUTDOWN:
                    await self._take(request)
        if self._closed_by is None:
            raise out_of_order("The track broke off without `end`; send it last.")

    async def _take(self, request: Request) -> None:
        if self._closed_by is not None:
            raise out_of_order("A message came after `end`; begin another track for it.")
        kind = request.WhichOneof("request")
        if kind == "audio":
            check_audio(request.audio)
            self._meter.count_audio(len(request.audio) / SAMPLE_BYTES / SAMPLE_RATE)
            await self._speaker.hear(request.audio)
        elif kind == "silence":
            silence = samples(request.silence)
            check_silence(silence)
            await self._speaker.pause(silence)
        elif kind == "configure":
            self._reconfigure(request.configure)
        elif kind == "finalize":
            self._speaker.close(TurnCause.FINALIZE)
        elif kind == "end":
            self._close(TurnCause.TRACK_END)
        else:
            raise out_of_order("The config comes first and once, and no message is empty.")
        if self._speaker.received - self._reported >= PROGRESS_SAMPLES:
            self._report()

    def _reconfigure(self, changes: streaming.StreamingOptions) -> None:
        asked = streaming.StreamingOptions()
        asked.CopyFrom(self._asked)
        overlay(asked, changes)
        self.options = self._configure(asked)
        self._asked = asked
        self._speaker.configure(self.options)

    def _close(self, cause: TurnCause) -> None:
        self._closed_by = cause
        self._speaker.close(cause)
        self._changed.set()

    def _add(self, ending: Ending) -> None:
        self._endings.append(ending)
        if len(self._endings) > MAX_PENDING:
            self._room.clear()
        self._changed.set()

    async def _finish_all(self) -> None:
        """Sends each final when it is read, in order, and ends the events after the last one."""
        while True:
            while self._endings:
                ending = self._endings[0]
                reading = await ending.job.result
                assert reading is not None
                self._endings.popleft()
                self._finish(ending, reading)
            if self._closed_by is not None:
                return self._outbox.finish()
            self._changed.clear()
            await self._changed.wait()

    def _finish(self, ending: Ending, reading: LiveReading) -> None:
        latency = time.monotonic() - ending.spoken_at
        self._outbox.put(final_event(ending.turn, reading, latency))
        if len(self._endings) <= MAX_PENDING:
            self._room.set()
        self._report()

    async def _report_on(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self._report()

    def _report(self) -> None:
        received, settled, behind = self._speaker.received, self._speaker.settled, 0.0
        if self._endings:
            oldest = self._endings[0]
            settled = min(settled, oldest.turn.span.start)
            behind = time.monotonic() - oldest.ended_at
        thinning = self._speaker.thinning
        self._outbox.offer(progress_event(received, settled, behind, thinning))
        self._reported = received
