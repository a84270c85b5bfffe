"""How long a server is waited for, how often it is asked again, and when it is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
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
from maie_runtime.breaker import CircuitBreaker
from maie_runtime.errors import StageError

log = structlog.get_logger()

BACK_OFF = wait_random_exponential(multiplier=0.5, max=15)

ResultT = TypeVar("ResultT")


class Patience:
    """What all calls of one server share."""

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        self._server = settings.base_url
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

    async def in_time(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        """The pieces of an answer.

        Raises:
            Unavailable: The first word, or a later one, is too long in coming.
        """
        now = asyncio.get_running_loop().time
        seconds = self._settings.first_token_seconds
        deadline = now() + seconds
        begun = False
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise Unavailable(f"was silent for {seconds:g} s") from None
            yield chunk
            begun = begun or any(choice.delta.is_sign_of_life for choice in chunk.choices)
            if begun:
                seconds = self._settings.next_token_seconds
                deadline = now() + seconds


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
