"""How long a server is waited for, how often it is asked again, and when it is left alone.

A slow server is not a dead one. Calls take turns where the server answers only
so many at once, and while they wait for their turn no time is counted. A call
that the server has taken is given up when nothing at all shows that the server
works: no word of this answer, none of another before this one begins, and no
change in what the server tells of its slots.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from datetime import timedelta
from typing import TypeVar

import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_before_delay,
    wait_random_exponential,
)

from maie_llm.openai.chunks import Chunk
from maie_llm.openai.faults import Unavailable
from maie_llm.openai.settings import OpenAISettings
from maie_runtime.background import beside
from maie_runtime.breaker import CircuitBreaker
from maie_runtime.errors import StageError

log = structlog.get_logger()

BACK_OFF = wait_random_exponential(multiplier=0.5, max=15)
# A server is asked for its slots so often before a silent call is given up.
LOOKS_PER_LIMIT = 3

ResultT = TypeVar("ResultT")
Alive = Callable[[], None]
Slots = Callable[[], Awaitable[str]]
"""What a server tells of the slots that work just now; empty where none does or it tells none."""


class Patience:
    """What all calls of one server share.

    Args:
        settings: How long the server is waited for.
        concurrency: How many calls may be under way; None for any number.
        slots: Asks the server for its slots; None where it tells nothing of them.
    """

    def __init__(
        self, settings: OpenAISettings, concurrency: int | None = None, slots: Slots | None = None
    ) -> None:
        self._settings = settings
        self._server = settings.base_url
        self._turns = asyncio.Semaphore(concurrency) if concurrency else None
        self._slots = slots
        self._waiting: dict[object, Alive] = {}
        self._breaker = CircuitBreaker(
            threshold=settings.breaker_failures, pause=settings.breaker_pause_seconds
        )

    async def retrying(self, call: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """What a call gives, after as many tries as there is time for.

        Raises:
            StageError: The last try's, or what no other try would change.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Unavailable),
            stop=stop_before_delay(self._settings.retry_seconds),
            wait=_pause,
            before_sleep=_log_retry,
            reraise=True,
        )
        return await retrying(call)

    @asynccontextmanager
    async def turn(self, alive: Alive) -> AsyncIterator[None]:
        """The turn of a call among those that the server answers at once.

        Args:
            alive: Called at each sign that the server works on the calls before.
        """
        if self._turns is None:
            yield
            return
        with self._listening(alive):
            await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A call that the circuit breaker lets through and learns from.

        Raises:
            Unavailable: It lets none through.
        """
        if left := self._breaker.enter(self._server):
            raise Unavailable("failed again and again", timedelta(seconds=left))
        try:
            yield
        except Unavailable as error:
            if error.answered:
                self._breaker.succeeded(self._server)
            else:
                self.note_failure()
            raise
        except StageError:
            self._breaker.succeeded(self._server)
            raise
        except BaseException:
            self._breaker.abandoned(self._server)
            raise
        self._breaker.succeeded(self._server)

    def note_failure(self) -> None:
        """Tells the circuit breaker of a call that failed, if only in its middle."""
        if self._breaker.failed(self._server):
            log.warning("llm.server_left_alone", server=self._server)

    async def in_time(
        self, chunks: AsyncGenerator[Chunk, None], alive: Alive
    ) -> AsyncGenerator[Chunk, None]:
        """The pieces of an answer.

        Args:
            chunks: The pieces as the server sends them.
            alive: Called at each sign that the server works.

        Raises:
            Unavailable: Nothing shows for too long that the server works.
        """
        silence = _Silence(self._settings.first_token_seconds, alive)
        async with self._watching(silence):
            with self._listening(silence.end):
                chunk = await self._next(chunks, silence)
                while chunk is not None and not _is_sign_of_life(chunk):
                    yield chunk
                    chunk = await self._next(chunks, silence)
            while chunk is not None:
                if _is_sign_of_life(chunk):
                    silence.seconds = self._settings.next_token_seconds
                    alive()
                    self._tell_waiting()
                yield chunk
                # How long the caller takes is not the server's silence.
                silence.begin()
                chunk = await self._next(chunks, silence)

    async def _next(self, chunks: AsyncGenerator[Chunk, None], silence: _Silence) -> Chunk | None:
        try:
            async with silence.limit():
                return await anext(chunks)
        except StopAsyncIteration:
            return None
        except TimeoutError:
            raise Unavailable(f"was silent for {silence.seconds:g} s") from None

    def _watching(self, silence: _Silence) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self._slots is None else beside(self._look(silence, self._slots))

    async def _look(self, silence: _Silence, slots: Slots) -> None:
        """Looks at the server's slots while a call is silent: as they change, it works."""
        seen = ""
        while True:
            await asyncio.sleep(silence.seconds / LOOKS_PER_LIMIT)
            try:
                shown = await slots()
            except StageError as error:
                log.debug("llm.slots_not_told", error=error.message)
                continue
            if shown and shown != seen:
                silence.end()
                self._tell_waiting()
            seen = shown

    @contextmanager
    def _listening(self, alive: Alive) -> Iterator[None]:
        """Has signs of life told that other calls get."""
        key = object()
        self._waiting[key] = alive
        try:
            yield
        finally:
            del self._waiting[key]

    def _tell_waiting(self) -> None:
        for alive in list(self._waiting.values()):
            alive()


class _Silence:
    """How long a call may be silent, counted anew from each sign of life.

    Args:
        seconds: The longest silence.
        alive: Called at each sign of life.
    """

    def __init__(self, seconds: float, alive: Alive) -> None:
        self.seconds = seconds
        self._alive = alive
        self._limit: asyncio.Timeout | None = None
        self.begin()

    def begin(self) -> None:
        """Counts from now on."""
        self._since = asyncio.get_running_loop().time()

    def end(self) -> None:
        """Notes a sign of life, and counts from now on."""
        self.begin()
        self._alive()
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(self._since + self.seconds)

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """A wait that ends with TimeoutError when the silence has been too long."""
        try:
            async with asyncio.timeout_at(self._since + self.seconds) as self._limit:
                yield
        finally:
            self._limit = None


def _is_sign_of_life(chunk: Chunk) -> bool:
    return any(choice.delta.is_sign_of_life for choice in chunk.choices)


def _pause(state: RetryCallState) -> float:
    """Seconds to wait: as long as the back-off says, and as the server asks."""
    error = state.outcome.exception() if state.outcome else None
    told = error.told if isinstance(error, Unavailable) else None
    return max(BACK_OFF(state), told.total_seconds() if told else 0.0)


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning(
        "llm.retry", attempt=state.attempt_number, error=str(error), wait=state.upcoming_sleep
    )
