"""Rides out the seconds in which NATS answers nobody, as while a stream has no leader.

In a cluster of three, the loss of a stream's leader stalls its writes for 4 to 9 s. A call that
waits for them is worth more to its client than a refusal, since an upload cannot be sent again by
itself. The wait is bounded, and ends with the call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import APIError, ServiceUnavailableError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    wait_fixed,
    wait_random_exponential,
)

from maie_runtime.bus.refusals import RefusedError, ReportingClient

log = structlog.get_logger()

T = TypeVar("T")

RIDE_OUT_SECONDS = 20.0
"""How long a request is repeated; longer than the election of a leader takes."""
FIRST_SECONDS = 2.0
"""How long the first answer may take; a request that a leader took with it gets none."""
MOVE_SECONDS = 8.0
"""After this long, another server may answer: the one that was asked may be cut off."""
PAUSE_SECONDS = 1.0
"""How long to wait before NATS is asked again by somebody who waits however long it takes."""
# The server's error codes while JetStream has no leader, or is starting or stopping.
WITHOUT_LEADER = frozenset({10008, 10009, 10039, 10076})
# And while an earlier try of the same write is neither stored nor lost.
IN_FLIGHT = frozenset({10158, 10164})


class ResilientClient(ReportingClient):
    """A connection that can ride out an outage.

    Args:
        rides_out: Whether it does; otherwise each request is made once.

    Attributes:
        rides_out: The same.
    """

    def __init__(self, *, rides_out: bool = False) -> None:
        super().__init__()
        self.rides_out = rides_out
        self._connected_at = 0.0

    async def ride_out(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Makes a request, and where the client rides out outages, until NATS answers it.

        Args:
            attempt: Makes the request. It may have been stored although no answer came, so the
                next one must be able to tell.

        Raises:
            nats.errors.Error, APIError or OSError: NATS refused, or answered nothing for about
                RIDE_OUT_SECONDS.
        """
        if not self.rides_out:
            return await attempt()
        async for tried in AsyncRetrying(
            retry=retry_if_exception(self._may_be_answered),
            stop=stop_after_delay(RIDE_OUT_SECONDS),
            wait=wait_random_exponential(multiplier=0.1, max=1),
            before_sleep=self._move_on,
            reraise=True,
        ):
            first = tried.retry_state.attempt_number == 1
            with tried:
                async with asyncio.timeout(FIRST_SECONDS if first else None):
                    return await attempt()
        raise AssertionError("the attempts end with a result or an error")

    async def change_server(self, seconds: float) -> None:
        """Connects to a server by chance, where there are several.

        One that is cut off from the others keeps its clients, and can serve none of them.

        Args:
            seconds: A connection that is younger than this stays.
        """
        now = time.monotonic()
        if len(self.servers) > 1 and self.is_connected and now - self._connected_at > seconds:
            log.warning("broker.changing_server")
            self._connected_at = now
            await self.force_reconnect()

    async def _attempt_reconnect(self) -> None:
        await super()._attempt_reconnect()
        self._connected_at = time.monotonic()

    def _may_be_answered(self, error: BaseException) -> bool:
        return is_outage(error) and not self.is_closed

    async def _move_on(self, state: RetryCallState) -> None:
        if (state.seconds_since_start or 0) > MOVE_SECONDS:
            await self.change_server(MOVE_SECONDS)


async def until_answered(ask: Callable[[], Awaitable[T]], is_over: Callable[[], bool]) -> T:
    """Asks NATS again and again until it answers.

    Args:
        ask: Asks it once.
        is_over: Whether an answer is of no use any more.

    Raises:
        nats.errors.Error, APIError or OSError: NATS refused, or had not answered when it was over.
    """
    async for attempt in AsyncRetrying(
        retry=retry_if_exception(is_outage),
        stop=lambda _: is_over(),
        wait=wait_fixed(PAUSE_SECONDS),
        before_sleep=_log_unanswered,
        reraise=True,
    ):
        with attempt:
            return await ask()
    raise AssertionError("the attempts end with a result or an error")


def _log_unanswered(state: RetryCallState) -> None:
    error = state.outcome and state.outcome.exception()
    log.warning("broker.unanswered", error=str(error) or type(error).__name__)


def is_outage(error: BaseException) -> bool:
    """Whether nobody answered a request, in contrast to an answer that refuses it."""
    if isinstance(error, APIError):
        # nats-py leaves the code out of errors that it makes itself.
        code = getattr(error, "err_code", None)
        nobody = code is None and isinstance(error, ServiceUnavailableError)
        return nobody or code in WITHOUT_LEADER | IN_FLIGHT
    return isinstance(error, (NatsError, OSError)) and not isinstance(error, RefusedError)
