"""Following a job through broken connections."""

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


class Heard:
    """How much of a job was heard.

    Attributes:
        job_id: The job; empty until it is accepted.
        sequence: The last durable event.
        finished: Whether the last event of all was heard.
    """

    def __init__(self, job_id: str = "", sequence: int = 0) -> None:
        self.job_id = job_id
        self.sequence = sequence
        self.finished = False

    def is_new(self, event: job.JobEvent) -> bool:
        """Takes note of an event; false where it was heard before."""
        if event.sequence and event.sequence <= self.sequence:
            return False
        self.sequence = max(self.sequence, event.sequence)
        if event.HasField("accepted"):
            self.job_id = event.accepted.job_id
        self.finished = self.finished or event.HasField("finished")
        return True


class Backoff:
    """Waits longer and longer, and gives up after `patience` without success."""

    def __init__(self, patience: timedelta) -> None:
        self._patience = patience.total_seconds()
        self.reset()

    def reset(self) -> None:
        """The connection works: the next failure is a first one."""
        self._delay = FIRST_DELAY_SECONDS
        self._since: float | None = None

    async def wait(self, error: ClientError) -> None:
        """Waits before another try, or raises the error when patience is at its end."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since > self._patience:
            raise error
        asked = error.retry_after.total_seconds() if error.retry_after else 0.0
        # Jitter, so that the clients of a gateway do not all come back at once.
        await asyncio.sleep(max(asked, self._delay * random.uniform(0.5, 1.0)))
        self._delay = min(MAX_DELAY_SECONDS, self._delay * 2)


async def follow(heard: Heard, watch: Callable[[Heard], Events], patience: timedelta) -> Events:
    """Yields the events that were not heard yet, connecting again until the job is finished.

    Args:
        heard: How much was heard; kept up to date.
        watch: Opens the stream of events after those heard.
        patience: How long to try in vain.

    Raises:
        ClientError: The gateway's refusal, or UNAVAILABLE at the end of patience.
    """
    backoff = Backoff(patience)
    while not heard.finished:
        error = stream_ended()
        try:
            async with aclosing(watch(heard)) as events:
                async for event in events:
                    backoff.reset()
                    if heard.is_new(event):
                        yield event
        except ClientError as caught:
            if not caught.is_break:
                raise
            error = caught
        if not heard.finished:
            await backoff.wait(error)


def stream_ended() -> ClientError:
    """A gateway that drains ends its streams without an error."""
    return ClientError(
        grpc.StatusCode.UNAVAILABLE,
        ClientReason.STREAM_ENDED,
        "The gateway ended the stream before the job was finished; watch the job to go on.",
    )
