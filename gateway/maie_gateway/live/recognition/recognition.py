"""Recognises a track with one ASR replica after another, as they fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import structlog

from maie.asr.v1 import streaming_pb2 as asr
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.samples import duration
from maie_gateway.live.metrics import LiveMetrics
from maie_gateway.live.recognition.asr_replicas import AsrCall, AsrReplicas
from maie_gateway.live.recognition.backlog import Backlog, Item
from maie_gateway.live.settings import LiveSettings
from maie_runtime.background import end

log = structlog.get_logger()

RETRY_AFTER = timedelta(seconds=5)
# Between two rounds of asking all replicas.
PAUSE_SECONDS = 0.5
# How often replicas may fail with the same audio: the next ones would fail as well, or die of it.
MOST_FAILURES = 5
# One that hangs with it counts as several, as it has to be restarted.
HANG_FAILURES = 3
# How many looks there are in the time after which a replica counts as frozen. Looks are counted,
# and not seconds: a gateway that was frozen itself reads first what came meanwhile.
LOOKS = 10
# Failures that say nothing of the audio where the replica did not take the track.
_OF_REPLICA = frozenset({Code.UNAVAILABLE, Code.UNIMPLEMENTED, Code.RESOURCE_EXHAUSTED})


class Listener(Protocol):
    """Takes what a replica says of a track."""

    async def ready(self, ready: asr.StreamingReady) -> None:
        """A replica takes the track."""

    async def turn(self, turn: asr.StreamingTurn) -> None:
        """An utterance begins or ends."""

    async def partial(self, partial: asr.StreamingPartial) -> None:
        """The text of an utterance so far."""

    async def final(self, final: asr.StreamingFinal) -> None:
        """The text of an utterance; returns once it cannot be lost."""

    async def progress(self, progress: asr.StreamingProgress) -> None:
        """How far the track is."""


class _ListenerFailedError(Exception):
    """What took an event failed, and no replica did."""

    def __init__(self, error: StageError) -> None:
        super().__init__(error.message)
        self.error = error


class Recognition:
    """The ASR calls of one track, one at a time.

    Args:
        backlog: What is to be recognised, and what of it is durable.
        replicas: The ASR replicas.
        options: Gives the options of the track as they are now.
        listener: Takes the events.
        settings: How long to wait for what.
        metrics: Counts replicas that fail.

    Attributes:
        connected: Whether a replica has the track.
        was_connected: Whether one has it, or had it.
    """

    def __init__(
        self,
        backlog: Backlog,
        replicas: AsrReplicas,
        options: Callable[[], asr.StreamingOptions],
        listener: Listener,
        settings: LiveSettings,
        metrics: LiveMetrics,
    ) -> None:
        self.connected = self.was_connected = False
        self._backlog = backlog
        self._replicas = replicas
        self._options = options
        self._listener = listener
        self._settings = settings
        self._metrics = metrics
        self._news = asyncio.Event()
        self._changes: list[asr.StreamingOptions] = []
        self._closed = False
        self._in_call = False
        self._ended = False
        self._goes = False
        self._failing_since: float | None = None
        self._failures = 0

    def notify(self) -> None:
        """Says that the backlog has more."""
        self._news.set()

    def configure(self, change: asr.StreamingOptions) -> None:
        """Changes options, from the next utterance on."""
        if self._in_call:
            self._changes.append(change)
            self._news.set()

    def close(self) -> None:
        """Says that nothing follows; `run` returns once everything is recognised."""
        self._closed = True
        self._news.set()

    async def run(self) -> None:
        """Recognises the track to its end.

        Raises:
            StageError: RESOURCE_EXHAUSTED with LIVE_BUSY or UNAVAILABLE with LIVE_UNAVAILABLE: no
                replica takes the track; what replicas refuse, or fail with, again and again; or
                what the listener raises.
        """
        tried: set[str] = set()
        last: StageError | None = None
        while await self._needed():
            self._failing_since = self._failing_since or time.monotonic()
            address = self._replicas.choose(tried)
            if address is None:
                await self._pause(last)
                tried.clear()
                continue
            tried.add(address)
            try:
                if await self._recognise(address):
                    return
                tried = {address}
            except StageError as error:
                self._judge(error, address)
                last = error
            except _ListenerFailedError as failed:
                raise failed.error from None
            finally:
                self.connected = self._in_call = False

    async def _needed(self) -> bool:
        """Waits until there is something to recognise; False where nothing follows."""
        while not self._backlog.holds_any and not self._closed:
            self._news.clear()
            await self._news.wait()
        return self._backlog.holds_any

    async def _pause(self, last: StageError | None) -> None:
        """Waits before all replicas are asked again.

        Raises:
            StageError: They were asked for long enough. A track that none had is not to slow the
                others down: where all are busy, it is refused at once.
        """
        is_busy = last is not None and last.reason == Reason.LIVE_BUSY
        waited = time.monotonic() - (self._failing_since or time.monotonic())
        if (is_busy and not self.was_connected) or waited >= self._settings.patience_seconds:
            raise _refusal(last if is_busy else None)
        await asyncio.sleep(PAUSE_SECONDS)

    def _judge(self, error: StageError, address: str) -> None:
        """Raises an error that another replica would have, too."""
        log.warning("live.replica_failed", replica=address, reason=error.reason)
        if error.code is Code.INVALID_ARGUMENT:
            raise error
        if self._backlog.holds_any and error.reason != Reason.LIVE_BUSY:
            self._metrics.retried(error.reason)
        if error.reason != Reason.LIVE_BUSY:
            self._replicas.avoid(address)
        if error.reason == Reason.WORKER_STOPS:
            return  # another track's audio, or a restart
        if self.connected or error.code not in _OF_REPLICA:
            self._failures += HANG_FAILURES if error.reason == Reason.STALLED else 1
            if self._failures >= MOST_FAILURES:
                raise error

    async def _recognise(self, address: str) -> bool:
        """Has a replica recognise what is not durable yet, and what follows.

        Returns:
            Whether the track is recognised to its end; False where the replica stops.
        """
        async with self._replicas.call(address) as call:
            await self._begin(call)
            sending: asyncio.Task[None] | None = None
            try:
                while (response := await self._answer(call)) is not None:
                    if response.HasField("ready") and sending is None:
                        sending = asyncio.create_task(self._send(call))
                    if response.HasField("go_away"):
                        # It takes no more, and its last finals follow.
                        self._goes = True
                        self._replicas.avoid(address)
                    await self._handle(response)
                return self._ended and not self._goes
            finally:
                await end(*([sending] if sending else []))

    async def _begin(self, call: AsrCall) -> None:
        """Sends the config."""
        self._changes.clear()
        self._backlog.rewind()
        self._in_call, self._ended, self._goes = True, False, False
        config = asr.StreamingRecognizeRequest(config=self._config())
        try:
            async with asyncio.timeout(self._settings.freeze_seconds):
                await call.write(config)
        except TimeoutError:
            raise _frozen(self._settings.freeze_seconds) from None

    def _config(self) -> asr.StreamingConfig:
        begin, mark = self._backlog.begin, self._backlog.mark
        return asr.StreamingConfig(
            options=self._options(),
            start_offset=duration(begin),
            settled_offset=duration(max(begin, mark.settled)),
            next_utterance=mark.next_utterance,
        )

    async def _answer(self, call: AsrCall) -> asr.StreamingRecognizeResponse | None:
        """The next event; None where the call has ended.

        Raises:
            StageError: What ended the call; UNAVAILABLE with LIVE_UNAVAILABLE where the replica
                says nothing for too long, not even how far it is.
        """
        reading = asyncio.ensure_future(call.read())
        try:
            for _ in range(LOOKS):
                await asyncio.wait({reading}, timeout=self._settings.freeze_seconds / LOOKS)
                if reading.done():
                    return reading.result()
            raise _frozen(self._settings.freeze_seconds)
        finally:
            if not reading.done():
                call.cancel()
                await end(reading)

    async def _send(self, call: AsrCall) -> None:
        """Sends what the backlog has, and the end last."""
        try:
            while True:
                self._news.clear()
                while self._changes:
                    await call.write(asr.StreamingRecognizeRequest(configure=self._changes.pop(0)))
                for item in self._backlog.unsent():
                    if self._goes:
                        return
                    for request in _requests(item):
                        await call.write(request)
                if self._closed:
                    # The answer to it may come before the next line.
                    self._ended = True
                    await call.write(asr.StreamingRecognizeRequest(end=asr.StreamingEnd()))
                    await call.done_writing()
                    return
                await self._news.wait()
        except StageError:
            return  # who reads the answers gets it

    async def _handle(self, response: asr.StreamingRecognizeResponse) -> None:
        mark = self._backlog.mark
        try:
            match response.WhichOneof("response"):
                case "ready":
                    self.connected = self.was_connected = True
                    self._failing_since = None
                    await self._listener.ready(response.ready)
                case "turn":
                    await self._listener.turn(response.turn)
                case "partial":
                    await self._listener.partial(response.partial)
                case "final":
                    await self._listener.final(response.final)
                case "progress":
                    await self._listener.progress(response.progress)
        except StageError as error:
            raise _ListenerFailedError(error) from error
        if self._backlog.mark != mark:
            self._failures = 0


def _requests(item: Item) -> list[asr.StreamingRecognizeRequest]:
    requests = []
    if item.pcm:
        requests.append(asr.StreamingRecognizeRequest(audio=item.pcm))
    if item.silence:
        requests.append(asr.StreamingRecognizeRequest(silence=duration(item.silence)))
    if item.finalize:
        requests.append(asr.StreamingRecognizeRequest(finalize=asr.StreamingFinalize()))
    return requests


def _refusal(busy: StageError | None) -> StageError:
    if busy is not None:
        return StageError(
            Code.RESOURCE_EXHAUSTED,
            Reason.LIVE_BUSY,
            "No ASR replica can take another live track; try again later.",
            retry_after=busy.retry_after or RETRY_AFTER,
        )
    return StageError(
        Code.UNAVAILABLE,
        Reason.LIVE_UNAVAILABLE,
        "No ASR replica for live speech answers; resume the session in a few seconds.",
        retry_after=RETRY_AFTER,
    )


def _frozen(seconds: float) -> StageError:
    return StageError(
        Code.UNAVAILABLE,
        Reason.LIVE_UNAVAILABLE,
        f"The ASR replica answered nothing for {seconds:g} s.",
    )
