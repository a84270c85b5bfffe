"""A job's events as Server-Sent Events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from litestar.di import NamedDependency
from litestar.response.sse import ServerSentEventMessage
from litestar.serialization import encode_json

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_formats.as_json import to_json
from maie_web.problems import document_of

Result = TypeVar("Result")

# How long a browser waits before it connects again, where no error says more.
RETRY = timedelta(seconds=2)
PROBLEM = "problem"
# At most as many digits as fit into an int64, whatever they are.
_ID = re.compile(r"(?P<sequence>[0-9]{1,18})(?P<finished>\.finished)?")


@dataclass(kw_only=True, frozen=True, slots=True)
class Position:
    """How far a reader is in a job's events, as `id` and `Last-Event-ID` have it.

    Attributes:
        sequence: The last durable event that it has; 0 for none.
        finished: Whether it has `finished`, too, which has no sequence of its own.
    """

    sequence: int = 0
    finished: bool = False

    @classmethod
    def parse(cls, text: str) -> Position:
        """Reads a Last-Event-ID; empty: the beginning.

        Raises:
            StageError: INVALID_ARGUMENT with FIELD_INVALID.
        """
        if not text:
            return cls()
        if (found := _ID.fullmatch(text)) is None:
            raise invalid(
                Reason.FIELD_INVALID,
                "Last-Event-ID is not the id of an event; send the last `id` that came.",
                field="Last-Event-ID",
            )
        return cls(sequence=int(found["sequence"]), finished=found["finished"] is not None)

    def __str__(self) -> str:
        """The id."""
        return f"{self.sequence}.finished" if self.finished else str(self.sequence)


class EventStreams:
    """Makes streams of events, and ends them when the process stops.

    Args:
        heartbeat: The longest silence; a comment follows it, so that proxies on the way keep the
            connection.
    """

    def __init__(self, heartbeat: timedelta) -> None:
        self._heartbeat = heartbeat.total_seconds()
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """Ends all streams; their readers go on at another web part."""
        self._draining.set()

    async def stream(
        self, client: Client, job_id: str, position: Position
    ) -> AsyncGenerator[bytes, None]:
        """The events of a job after a position, up to `finished`.

        A gateway that stops is waited for. The stream asks for the next event when its reader has
        taken the one before. An error is the last event, `problem`, with a problem document.
        """
        yield _encoded(retry=RETRY)
        try:
            sequence = position.sequence
            async with (
                aclosing(client.watch_job(job_id, sequence)) as watched,
                aclosing(self._with_pauses(watched)) as events,
            ):
                async for event in events:
                    if event is None:
                        yield ServerSentEventMessage(data=None, comment="").encode()
                        continue
                    sequence = event.sequence or sequence
                    yield _message(event, sequence)
        except ClientError as error:
            document = document_of(error)
            again = document.retry_after_seconds
            yield _encoded(
                event=PROBLEM,
                data=encode_json(document).decode(),
                retry=RETRY if again is None else timedelta(seconds=again),
            )

    async def _with_pauses(
        self, events: AsyncGenerator[job.JobEvent, None]
    ) -> AsyncGenerator[job.JobEvent | None, None]:
        """The events, and None after each silence of a heartbeat; ends early when draining."""
        async with _running(self._draining.wait()) as draining:
            while True:
                async with _running(_next(events)) as coming:
                    while not coming.done():
                        await asyncio.wait(
                            (coming, draining),
                            timeout=self._heartbeat,
                            return_when=asyncio.FIRST_COMPLETED,
                        )
                        if draining.done():
                            return
                        if not coming.done():
                            yield None
                    event = coming.result()
                if event is None:
                    return
                yield event


EventStreamsOfApp = NamedDependency[EventStreams]
"""What a handler asks for to answer with events."""


async def has_more(client: Client, job_id: str, position: Position) -> bool:
    """Whether a job has an event after a position, or will have one.

    Raises:
        ClientError: The gateway's error, such as NOT_FOUND with JOB_NOT_FOUND.
    """
    try:
        timeline = await client.get_timeline(job_id)
    except ClientError as error:
        if error.is_break:  # a stream waits until the gateway is back
            return True
        raise
    if not (position.finished and timeline.HasField("finish_time")):
        return True
    # It was finished before, too; a retry since then has made durable events.
    async with aclosing(client.watch_job(job_id, position.sequence)) as events:
        return not (await anext(events)).HasField("finished")


def _message(event: job.JobEvent, sequence: int) -> bytes:
    kind = str(event.WhichOneof("event"))
    finished = event.HasField("finished")
    named = event.sequence or finished
    position = str(Position(sequence=sequence, finished=finished)) if named else None
    return _encoded(event=kind, id=position, data=to_json(event))


def _encoded(
    *,
    event: str | None = None,
    id: str | None = None,  # noqa: A002 - as the format has it
    data: str | None = None,
    retry: timedelta | None = None,
) -> bytes:
    milliseconds = None if retry is None else round(retry.total_seconds() * 1000)
    return ServerSentEventMessage(event=event, id=id, data=data, retry=milliseconds).encode()


async def _next(events: AsyncGenerator[job.JobEvent, None]) -> job.JobEvent | None:
    return await anext(events, None)


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, Result]) -> AsyncIterator[asyncio.Task[Result]]:
    """A task, which is over at the end of the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait((task,))
