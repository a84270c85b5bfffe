"""Copies of a stream that begin anew after an outage, which the broker forgets half-way."""

from __future__ import annotations

from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    stop_all,
    wait_random_exponential,
)

from maie_runtime.bus.outages import is_outage
from maie_runtime.bus.stream_copy import BrokenOffError

# A stream that takes long is begun again too, and one that fails at once is for a while.
LEAST_TRIES = 3
LEAST_SECONDS = 60.0
"""An outage of a cluster whose servers are started anew one after the other takes that long."""


def tries() -> AsyncRetrying:
    """The tries of one copy; the error of the last one is raised."""
    return AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_all(stop_after_attempt(LEAST_TRIES), stop_after_delay(LEAST_SECONDS)),
        wait=wait_random_exponential(multiplier=0.5, max=5),
        reraise=True,
    )


def _may_pass(error: BaseException) -> bool:
    """Whether the broker broke it off, in contrast to a file that cannot be read or written."""
    of_a_file = isinstance(error, OSError) and not isinstance(
        error, (TimeoutError, ConnectionError)
    )
    return isinstance(error, BrokenOffError) or (is_outage(error) and not of_a_file)
