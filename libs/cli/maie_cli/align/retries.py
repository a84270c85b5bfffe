"""Tries again what a store failed at."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

# obstore itself repeats single requests for up to 40 s; these cover answers that break off, and
# stores that are away for longer.
ATTEMPTS = 5
FIRST_SECONDS, MOST_SECONDS = 0.5, 30.0
_FINAL = (
    InvalidPathError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    FileNotFoundError,
    PermissionError,
)


class CutShortError(OSError):
    """An answer ended before its content did."""


async def again(work: Callable[[], Awaitable[T]], sleep: Sleep = asyncio.sleep) -> T:
    """Does some work, and again after growing pauses where the store fails.

    Raises:
        BaseError: The store failed at the last attempt, or in a way that another will not change.
        OSError: As BaseError.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await work()
        except _FINAL:
            raise
        except (BaseError, OSError):
            if attempt == ATTEMPTS:
                raise
        pause = min(MOST_SECONDS, FIRST_SECONDS * 2 ** (attempt - 1))
        # Many that failed together do not come back together.
        await sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 # no secret
    raise AssertionError("the last attempt returns or raises")
