"""Measures the pace of an upload, and ends uploads that are too slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

# An upload below the least rate for TRICKLE_SECONDS, or without a message for SILENCE_SECONDS, can
# be replaced by a new one. Over a slow line a message may take seconds to arrive.
TRICKLE_SECONDS = 1.0
SILENCE_SECONDS = 10.0
# A timer may fire early by this much.
CLOCK_SECONDS = 0.001


class WithAudio(Protocol):
    """A message of an upload."""

    audio: bytes


PartT = TypeVar("PartT", bound=WithAudio)


@dataclass(kw_only=True, frozen=True, slots=True)
class UploadLimits:
    """The limits on one upload.

    Attributes:
        max_bytes: The largest recording.
        idle_seconds: The longest silence between two parts.
        min_bytes_per_second: The least rate, as a mean over `idle_seconds`.
        max_seconds: The longest upload, from its config to its end.
    """

    max_bytes: int
    idle_seconds: float
    min_bytes_per_second: int = 0
    max_seconds: float = float("inf")


class Pace:
    """Receives the parts of one upload, and ends it if it is too slow.

    Only the time in which the gateway waits for the client counts for the
    rate, so that a slow object store does not end uploads.

    Args:
        limits: The limits.
    """

    def __init__(self, limits: UploadLimits) -> None:
        self._limits = limits
        self._clock = asyncio.get_running_loop().time
        self._end = self._clock() + limits.max_seconds
        # Within the current window of the mean rate:
        self._bytes = 0
        self._waited = 0.0
        self._waits_since: float | None = None
        self._wait: asyncio.Timeout | None = None
        self._displaced = False

    @property
    def stalled(self) -> bool:
        """Whether a new upload may replace it: see `TRICKLE_SECONDS` and `SILENCE_SECONDS`."""
        waited = self._waited + self._waiting
        return self._waiting >= SILENCE_SECONDS or (
            waited >= TRICKLE_SECONDS and self._bytes < waited * self._limits.min_bytes_per_second
        )

    @property
    def rate(self) -> float:
        """Bytes per second of waiting, within the current window."""
        return self._bytes / max(self._waited + self._waiting, CLOCK_SECONDS)

    @property
    def _waiting(self) -> float:
        """How long the gateway has been waiting for the next part."""
        return self._clock() - self._waits_since if self._waits_since is not None else 0.0

    def displace(self) -> None:
        """Ends the upload, so that a new one can replace it."""
        self._displaced = True
        if self._wait is not None:
            self._wait.reschedule(self._clock())

    async def next(self, parts: AsyncIterator[PartT]) -> PartT | None:
        """The next part; None at the end of the stream.

        Raises:
            StageError: DEADLINE_EXCEEDED with UPLOAD_IDLE, UPLOAD_TOO_SLOW or
                UPLOAD_TOO_LONG.
        """
        began = self._waits_since = self._clock()
        try:
            if self._displaced:
                raise self._late(began)
            async with asyncio.timeout(self._patience(began)) as self._wait:
                part = await anext(parts, None)
        except TimeoutError:
            raise self._late(began) from None
        finally:
            self._wait = self._waits_since = None
        self._count(self._clock() - began, len(part.audio) if part is not None else 0)
        return part

    def _patience(self, now: float) -> float:
        """How long to wait for the next part."""
        window = self._limits.idle_seconds
        if self._bytes < self._needed:
            window -= self._waited
        return max(min(window, self._end - now), 0.0)

    @property
    def _needed(self) -> float:
        return self._limits.min_bytes_per_second * self._limits.idle_seconds

    def _count(self, waited: float, size: int) -> None:
        self._bytes += size
        self._waited += waited
        if self._waited >= self._limits.idle_seconds:
            if self._bytes < self._needed:
                raise self._late(self._clock())
            self._bytes, self._waited = 0, 0.0

    def _late(self, began: float) -> StageError:
        """Why the upload is ended, during or after a wait that began at `began`."""
        limits, now = self._limits, self._clock() + CLOCK_SECONDS
        if self._displaced:
            return _ended(
                Reason.UPLOAD_TOO_SLOW,
                "The upload stalled while other uploads waited",
            )
        if now >= self._end:
            return _ended(Reason.UPLOAD_TOO_LONG, f"The upload took {limits.max_seconds:g} seconds")
        if self._bytes and now - began < limits.idle_seconds:
            return _ended(
                Reason.UPLOAD_TOO_SLOW,
                f"Less than {limits.min_bytes_per_second} bytes a second came for "
                f"{limits.idle_seconds:g} seconds",
            )
        return _ended(Reason.UPLOAD_IDLE, f"Nothing was sent for {limits.idle_seconds:g} seconds")


def _ended(reason: Reason, what: str) -> StageError:
    return StageError(
        Code.DEADLINE_EXCEEDED, reason, f"{what}; send it again over a faster connection."
    )
