"""Rides out the seconds in which NATS answers nobody, as while a stream has no leader.

In a cluster of three, the loss of a stream's leader stalls its writes for 4 to 9 s. A call that
waits for them is worth more to its client than a refusal, since an upload cannot be sent again by
itself. The wait is bounded, and ends with the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from nats.js.errors import APIError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    wait_random_exponential,
)

from maie_runtime.bus.broker import Broker, may_pass

T = TypeVar("T")

RIDE_OUT_SECONDS = 20.0
"""How long a request is repeated; longer than the election of a leader takes."""
FIRST_SECONDS = 2.0
"""How long the first answer may take; a request that a leader took with it gets none."""
MOVE_SECONDS = 8.0
"""After this long, another server may answer: the one that was asked may be cut off."""
# The server's error codes while JetStream has no leader, or is starting or stopping.
WITHOUT_LEADER = frozenset({10008, 10009, 10039, 10076})
# And while an earlier try of the same write is neither stored nor lost.
IN_FLIGHT = frozenset({10158, 10164})


async def ride_out(broker: Broker, attempt: Callable[[], Awaitable[T]]) -> T:
    """Makes a request again and again until NATS answers it.

    Args:
        broker: The connection.
        attempt: Makes the request. It may have been stored although no answer came, so the next
            one must be able to tell.

    Raises:
        nats.errors.Error, APIError or OSError: NATS refused, or answered nothing for about
            RIDE_OUT_SECONDS.
    """

    async def move_on(state: RetryCallState) -> None:
        if (state.seconds_since_start or 0) > MOVE_SECONDS:
            await broker.change_server(MOVE_SECONDS)

    async for tried in AsyncRetrying(
        retry=retry_if_exception(is_outage),
        stop=stop_after_delay(RIDE_OUT_SECONDS),
        wait=wait_random_exponential(multiplier=0.1, max=1),
        before_sleep=move_on,
        reraise=True,
    ):
        first = tried.retry_state.attempt_number == 1
        with tried:
            async with asyncio.timeout(FIRST_SECONDS if first else None):
                return await attempt()
    raise AssertionError("the attempts end with a result or an error")


async def until_connected(broker: Broker) -> bool:
    """Waits for a lost connection to be made again; False where it is not in RIDE_OUT_SECONDS."""
    return await broker.reconnected_within(RIDE_OUT_SECONDS)


def is_outage(error: BaseException) -> bool:
    """Whether nobody answered a request, in contrast to an answer that refuses it."""
    if isinstance(error, APIError):
        # nats-py leaves the code out of errors that it makes itself.
        return getattr(error, "err_code", None) in WITHOUT_LEADER | IN_FLIGHT
    return may_pass(error)
