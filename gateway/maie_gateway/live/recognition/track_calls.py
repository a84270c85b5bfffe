"""Has a track heard by one replica of a stage after another, as they fail."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

import structlog
from google.protobuf.message import Message

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.live.recognition.backlog import Backlog, Item
from maie_gateway.live.settings import LiveSettings
from maie_runtime.background import end
from maie_runtime.rpc.duplex import DuplexCall

log = structlog.get_logger()

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)

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


class ReplicasOfTracks(Protocol[RequestT, ResponseT]):
    """The replicas of a stage that hear tracks; see `Replicas`."""

    def choose(self, tried: Collection[str]) -> str | None:
        """The address of the replica for the next call; None where none is left to try."""
        ...

    def avoid(self, address: str) -> None:
        """Notes that a replica failed."""
        ...

    def call(self, address: str) -> AbstractAsyncContextManager[DuplexCall[RequestT, ResponseT]]:
        """A call of a replica; ended with the context."""
        ...


class _ListenerFailedError(Exception):
    """What took an event failed, and no replica did."""

    def __init__(self, error: StageError) -> None:
        super().__init__(error.message)
        self.error = error


class TrackCalls(ABC, Generic[RequestT, ResponseT]):
    """The calls of one track, one at a time. Their messages are those of a subclass.

    Args:
        backlog: What is to be heard, and what of it is durable.
        replicas: The replicas.
        part: What they are, for people, such as "ASR".
        settings: How long to wait for what.

    Attributes:
        connected: Whether a replica has the track.
        was_connected: Whether one has it, or had it.
    """

    def __init__(
        self,
        backlog: Backlog,
        replicas: ReplicasOfTracks[RequestT, ResponseT],
        part: str,
        settings: LiveSettings,
    ) -> None:
        self.connected = self.was_connected = False
        self._backlog = backlog
        self._replicas = replicas
        self._part = part
        self._settings = settings
        self._news = asyncio.Event()
        self._changes: list[RequestT] = []
        self._closed = False
        self._in_call = False
        self._ended = False
        self._goes = False
        self._failing_since: float | None = None
        self._failures = 0

    @abstractmethod
    def _config(self) -> RequestT:
        """The first message of a call."""

    @abstractmethod
    def _requests(self, item: Item) -> Sequence[RequestT]:
        """The messages of what the backlog has."""

    @abstractmethod
    def _last(self) -> RequestT:
        """The last message of a call."""

    @abstractmethod
    def _retried(self, reason: Reason) -> None:
        """Counts that audio goes to another replica, since one failed."""

    @abstractmethod
    async def _take(self, response: ResponseT) -> None:
        """Takes an event.

        Raises:
            StageError: What took it failed, and no replica did.
        """

    def notify(self) -> None:
        """Says that the backlog has more."""
        self._news.set()

    def close(self) -> None:
        """Says that nothing follows; `run` returns once everything is heard."""
        self._closed = True
        self._news.set()

    async def run(self) -> None:
        """Has the track heard to its end.

        Raises:
            StageError: RESOURCE_EXHAUSTED with LIVE_BUSY or UNAVAILABLE with LIVE_UNAVAILABLE: no
                replica takes the track; what replicas refuse, or fail with, again and again; or
                what the listener raises.
        """
        tried: set[str] = set()
        last: StageError | None = None
        self._failing_since, self._failures = None, 0
        while await self._needed():
            self._failing_since = self._failing_since or time.monotonic()
            address = self._replicas.choose(tried)
            if address is None:
                await self._pause(last)
                tried.clear()
                continue
            tried.add(address)
            try:
                if await self._hear(address):
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
        """Waits until there is something to hear; False where nothing follows."""
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
            raise self._refusal(last if is_busy else None)
        await asyncio.sleep(PAUSE_SECONDS)

    def _judge(self, error: StageError, address: str) -> None:
        """Raises an error that another replica would have, too."""
        log.warning("live.replica_failed", replica=address, reason=error.reason)
        if error.code is Code.INVALID_ARGUMENT:
            raise error
        if self._backlog.holds_any and error.reason != Reason.LIVE_BUSY:
            self._retried(error.reason)
        if error.reason != Reason.LIVE_BUSY:
            self._replicas.avoid(address)
        if error.reason == Reason.WORKER_STOPS:
            return  # another track's audio, or a restart
        if self.connected or error.code not in _OF_REPLICA:
            self._failures += HANG_FAILURES if error.reason == Reason.STALLED else 1
            if self._failures >= MOST_FAILURES:
                raise error

    async def _hear(self, address: str) -> bool:
        """Has a replica hear what is not durable yet, and what follows.

        Returns:
            Whether the track is heard to its end; False where the replica stops.
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

    async def _begin(self, call: DuplexCall[RequestT, ResponseT]) -> None:
        """Sends the config."""
        self._changes.clear()
        self._backlog.rewind()
        self._in_call, self._ended, self._goes = True, False, False
        try:
            async with asyncio.timeout(self._settings.freeze_seconds):
                await call.write(self._config())
        except TimeoutError:
            raise self._frozen() from None

    async def _answer(self, call: DuplexCall[RequestT, ResponseT]) -> ResponseT | None:
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
            raise self._frozen()
        finally:
            if not reading.done():
                call.cancel()
                await end(reading)

    async def _send(self, call: DuplexCall[RequestT, ResponseT]) -> None:
        """Sends what the backlog has, and the end last."""
        try:
            while True:
                self._news.clear()
                while self._changes:
                    await call.write(self._changes.pop(0))
                for item in self._backlog.unsent():
                    if self._goes:
                        return
                    for request in self._requests(item):
                        await call.write(request)
                if self._closed:
                    # The answer to it may come before the next line.
                    self._ended = True
                    await call.write(self._last())
                    await call.done_writing()
                    return
                await self._news.wait()
        except StageError:
            return  # who reads the answers gets it

    async def _handle(self, response: ResponseT) -> None:
        mark = self._backlog.mark
        if response.HasField("ready"):
            self.connected = self.was_connected = True
            self._failing_since = None
        try:
            await self._take(response)
        except StageError as error:
            raise _ListenerFailedError(error) from error
        if self._backlog.mark != mark:
            self._failures = 0

    def _refusal(self, busy: StageError | None) -> StageError:
        if busy is not None:
            return StageError(
                Code.RESOURCE_EXHAUSTED,
                Reason.LIVE_BUSY,
                f"No {self._part} replica can take another live track; try again later.",
                retry_after=busy.retry_after or RETRY_AFTER,
            )
        return StageError(
            Code.UNAVAILABLE,
            Reason.LIVE_UNAVAILABLE,
            f"No {self._part} replica for live speech answers; resume the session in a few "
            "seconds.",
            retry_after=RETRY_AFTER,
        )

    def _frozen(self) -> StageError:
        return StageError(
            Code.UNAVAILABLE,
            Reason.LIVE_UNAVAILABLE,
            f"The {self._part} replica answered nothing for {self._settings.freeze_seconds:g} s.",
        )
