"""Follows a job through broken connections."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import timedelta

import grpc

from maie.job.v1 import job_pb2 as job
from maie_client.errors import ClientError
from maie_client.reasons import ClientReason

Events = AsyncGenerator[job.JobEvent, None]

FIRST_DELAY_SECONDS = 0.2
MAX_DELAY_SECONDS = 5.0


class EventCursor:
    """The position in the events of a job.

    Attributes:
        job_id: The job; empty until it is accepted.
        sequence: The last durable event.
        finished: Whether the final event has been received.
    """

    def __init__(self, job_id: str = "", sequence: int = 0) -> None:
        self.job_id = job_id
        self.sequence = sequence
        self.finished = False

    def is_new(self, event: job.JobEvent) -> bool:
        """Records an event; returns False for a repeated one."""
        if event.sequence and event.sequence <= self.sequence:
            return False
        self.sequence = max(self.sequence, event.sequence)
        if event.HasField("accepted"):
            self.job_id = event.accepted.job_id
        self.finished = self.finished or event.HasField("finished")
        return True


class Backoff:
    """Exponential back-off that gives up after `patience` without success."""

    def __init__(self, patience: timedelta) -> None:
        self._patience = patience.total_seconds()
        self.reset()

    def reset(self) -> None:
        """Starts over after a success."""
        self._delay = FIRST_DELAY_SECONDS
        self._since: float | None = None

    async def wait(self, error: ClientError) -> None:
        """Waits before the next attempt, or raises the error after `patience`."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since > self._patience:
            raise error
        asked = error.retry_after.total_seconds() if error.retry_after else 0.0
        # Jitter, so that the clients of a gateway do not all reconnect at once.
        await asyncio.sleep(max(asked, self._delay * random.uniform(0.5, 1.0)))  # noqa: S311 - jitter, no secret
        self._delay = min(MAX_DELAY_SECONDS, self._delay * 2)


async def follow(
    cursor: EventCursor, watch: Callable[[EventCursor], Events], patience: timedelta
) -> Events:
    """Yields the events after the cursor, and reconnects until the job is finished.

    Args:
        cursor: The position; updated with each event.
        watch: Opens the stream of events after the cursor.
        patience: How long to retry without success.

    Raises:
        ClientError: The gateway's error, or UNAVAILABLE after `patience`.
    """
    backoff = Backoff(patience)
    while not cursor.finished:
        error = stream_ended()
        try:
            async with aclosing(watch(cursor)) as events:
                async for event in events:
                    backoff.reset()
                    if cursor.is_new(event):
                        yield event
        except ClientError as caught:
            if not caught.is_break:
                raise
            error = caught
        if not cursor.finished:
            await backoff.wait(error)


def stream_ended() -> ClientError:
    """The error for a stream that a draining gateway has ended."""
    return ClientError(
        grpc.StatusCode.UNAVAILABLE,
        ClientReason.STREAM_ENDED,
        "The gateway ended the stream before its end; call again to continue.",
    )
