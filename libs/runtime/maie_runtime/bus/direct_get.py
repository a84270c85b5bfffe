"""Direct reads of a stream: one small request, answered by any server that holds the stream.

They need a right to one subject of a stream only, while `STREAM.INFO` and
`STREAM.MSG.GET` show all of it. In a cluster the replica that answers may be a
moment behind, so read twice before you act on a missing message.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime

from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.js.api import Header, StatusCode
from nats.js.errors import APIError

from maie_runtime.bus import subjects
from maie_runtime.bus.outages import ResilientClient
from maie_runtime.bus.refusals import ReportingClient

TIMEOUT_SECONDS = 5.0
# The status that ends the answers to a batch.
END_OF_BATCH = "204"


@dataclass(kw_only=True, frozen=True, slots=True)
class Stored:
    """A stored message of a stream.

    Attributes:
        sequence: Its place in the stream.
        data: Its payload.
        operation: The operation of an entry of a bucket without a value, such as "DEL"; else empty.
    """

    sequence: int
    data: bytes
    operation: str


async def last_sequence(client: ReportingClient, stream: str, subject: str) -> int | None:
    """The place of a subject's last message in its stream; None where there is none.

    Raises:
        nats.errors.NoRespondersError: There is no such stream.
        nats.errors.Error: The broker does not answer.
        APIError: It refused.
    """
    found = await _request(client, subjects.direct_get(stream, subject), b"")
    return int(_header(found, "Nats-Sequence")) if found else None


async def stored_messages(
    client: ResilientClient,
    stream: str,
    subject: str,
    most: int,
    *,
    start: int = 1,
    since: datetime | None = None,
) -> list[Stored]:
    """The messages of a subject, the oldest first.

    Args:
        client: The connection.
        stream: The stream.
        subject: The subject.
        most: The most messages to return.
        start: The first sequence of the stream to return.
        since: Instead of `start`: from when on the messages to return were stored.

    Raises:
        As `last_sequence`.
        TimeoutError: The broker does not answer.
    """
    query: dict[str, object] = {"next_by_subj": subject, "batch": most}
    query |= {"seq": start} if since is None else {"start_time": since.isoformat()}
    return await client.ride_out(lambda: _batch(client, stream, json.dumps(query).encode()))


async def _batch(client: ReportingClient, stream: str, query: bytes) -> list[Stored]:
    answers: asyncio.Queue[Msg] = asyncio.Queue()
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=answers.put)
    where = subjects.direct_get(stream)
    try:
        async with client.reporting(where):
            await client.publish(where, query, reply=inbox)
            return await _until_the_end(answers)
    finally:
        await subscription.unsubscribe()


async def _until_the_end(answers: asyncio.Queue[Msg]) -> list[Stored]:
    """The answers to a batch."""
    found: list[Stored] = []
    while True:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            answer = await answers.get()
        status = (answer.headers or {}).get(Header.STATUS)
        if status in (END_OF_BATCH, StatusCode.NO_MESSAGES):
            return found
        if status == StatusCode.SERVICE_UNAVAILABLE:
            raise NoRespondersError
        _check(status)
        found.append(_stored(answer))


def _stored(answer: Msg) -> Stored:
    return Stored(
        sequence=int(_header(answer, "Nats-Sequence")),
        data=answer.data,
        operation=(answer.headers or {}).get("KV-Operation", ""),
    )


async def _request(client: ReportingClient, subject: str, payload: bytes) -> Msg | None:
    answer = await client.request(subject, payload, timeout=TIMEOUT_SECONDS)
    status = (answer.headers or {}).get(Header.STATUS)
    if status == StatusCode.NO_MESSAGES:
        return None
    _check(status)
    return answer


def _check(status: str | None) -> None:
    if status is not None:
        raise APIError(code=int(status), description="The server refused a direct read.")


def _header(message: Msg, name: str) -> str:
    return (message.headers or {})[name]
