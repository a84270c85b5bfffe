"""Retries and a circuit breaker for the calls of a server beside the mesh."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol, TypeVar

import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_before_delay,
    wait_random_exponential,
)

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.breaker import CircuitBreaker

log = structlog.get_logger()

BACK_OFF = wait_random_exponential(multiplier=0.5, max=15)
RETRY_AFTER = timedelta(seconds=10)
# The longest time that counts of those that servers ask to wait.
MAX_RETRY_AFTER = timedelta(hours=1)

ResultT = TypeVar("ResultT")


class ServerUnavailable(StageError):
    """A server cannot answer for now.

    Args:
        message: One sentence: what happened, and what to do.
        wait: When to try again, as the server says.
        answered: Whether the server works and is only overloaded.
        may_pass: Whether another try of the call may help within seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        wait: timedelta | None = None,
        answered: bool = False,
        may_pass: bool = True,
    ) -> None:
        super().__init__(
            Code.UNAVAILABLE,
            Reason.MODEL_UNAVAILABLE,
            message,
            retry_after=RETRY_AFTER if wait is None else min(wait, MAX_RETRY_AFTER),
        )
        self.wait = wait
        self.answered = answered
        self.may_pass = may_pass


class CallSettings(Protocol):
    """How long calls are retried, and when they pause."""

    @property
    def retry_seconds(self) -> float:
        """How long a call with a transient error is retried; 0 for no retries."""
        ...

    @property
    def breaker_failures(self) -> int:
        """The failures in a row that open the circuit breaker."""
        ...

    @property
    def breaker_pause_seconds(self) -> float:
        """How long it stays open."""
        ...


class ServerCalls:
    """What all calls of one server share.

    Args:
        address: The server, for the log.
        settings: The times.
        paused: Makes the error while the circuit breaker is open, from the time that is left.
        kind: What the events in the log begin with, such as "llm".
    """

    def __init__(
        self,
        address: str,
        settings: CallSettings,
        paused: Callable[[timedelta], ServerUnavailable],
        *,
        kind: str,
    ) -> None:
        self._address = address
        self._settings = settings
        self._paused = paused
        self._kind = kind
        self._breaker = CircuitBreaker(
            threshold=settings.breaker_failures, pause=settings.breaker_pause_seconds
        )

    async def retrying(self, call: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Runs a call, with retries until the time limit.

        Raises:
            StageError: The last attempt's error, or a permanent one.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_before_delay(self._settings.retry_seconds),
            wait=_pause,
            before_sleep=self._log_retry,
            reraise=True,
        )
        return await retrying(call)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Runs a call through the circuit breaker.

        Raises:
            ServerUnavailable: The circuit breaker is open.
        """
        if left := self._breaker.enter(self._address):
            raise self._paused(timedelta(seconds=left))
        try:
            yield
        except ServerUnavailable as error:
            if error.answered:
                self._breaker.succeeded(self._address)
            else:
                self.record_failure()
            raise
        except StageError:
            self._breaker.succeeded(self._address)
            raise
        except BaseException:
            self._breaker.abandoned(self._address)
            raise
        self._breaker.succeeded(self._address)

    def record_failure(self) -> None:
        """Records a failed call in the circuit breaker."""
        if self._breaker.failed(self._address):
            log.warning(f"{self._kind}.circuit_opened", server=self._address)

    def record_success(self) -> None:
        """Closes the circuit breaker: the server is known to work again."""
        self._breaker.succeeded(self._address)

    def _log_retry(self, state: RetryCallState) -> None:
        log.warning(
            f"{self._kind}.retry",
            attempt=state.attempt_number,
            error=str(_error_of(state)),
            wait=state.upcoming_sleep,
        )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ServerUnavailable) and error.may_pass


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _pause(state: RetryCallState) -> float:
    """The seconds to wait: the back-off, but at least what the server asks for."""
    error = _error_of(state)
    wanted = error.wait if isinstance(error, ServerUnavailable) else None
    return max(BACK_OFF(state), wanted.total_seconds() if wanted else 0.0)
