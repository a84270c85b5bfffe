"""Pulls the messages of a durable consumer as they come, in groups of those that wait together.

nats-py's own `fetch(n)` with n above 1 delays messages: if the end of its last
request arrives late, it waits for all n messages, or for its timeout.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import suppress

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import Header, StatusCode
from nats.js.errors import APIError

from maie_runtime.bus.refusals import ReportingClient

# A server that restarts loses its open requests, so a request is renewed this often.
REQUEST_SECONDS = 5.0
# The server ends a request by itself; one without an answer this much later was lost.
LATE_SECONDS = 1.0
_ENDED = (StatusCode.NO_MESSAGES, StatusCode.REQUEST_TIMEOUT)


async def pull_groups(
    client: ReportingClient,
    stream: str,
    consumer: str,
    *,
    size: int,
    request_seconds: float = REQUEST_SECONDS,
) -> AsyncGenerator[list[Msg], None]:
    """Yields the consumer's messages without end; never an empty group.

    To stop, close the iterator (contextlib.aclosing). Messages that are delivered
    after that are redelivered when the consumer's ack_wait is over.

    Args:
        client: The connection.
        stream: The stream.
        consumer: The durable pull consumer.
        size: The most messages of a group.
        request_seconds: How long the server holds one request.

    Raises:
        APIError: The server cannot serve the request.
        RefusedError: This part may not pull from the consumer.
        nats.errors.Error: The connection is closed.
    """
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    where = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
    request = json.dumps({"batch": size, "expires": int(request_seconds * 1e9)}).encode()
    try:
        while True:
            await client.publish(where, request, inbox)
            wanted, ended = size, ""
            while wanted > 0 and not ended:
                async with client.reporting(where):
                    group, ended = await _next_group(
                        subscription, wanted, request_seconds + LATE_SECONDS
                    )
                wanted -= len(group)
                if group:
                    yield group
            if ended and ended not in _ENDED:
                raise APIError(code=int(ended), description="The server refused to deliver.")
    finally:
        # The server drops a request whose inbox is gone, so no message is lost to it.
        with suppress(NatsError, OSError):
            await subscription.unsubscribe()


async def _next_group(
    subscription: Subscription, size: int, seconds: float
) -> tuple[list[Msg], str]:
    """Waits for a message, and adds those that wait already.

    Returns:
        The messages, and the status that ended the request; empty while it is open.
    """
    group: list[Msg] = []
    try:
        while not group or (len(group) < size and subscription.pending_msgs):
            message = await subscription.next_msg(timeout=seconds)
            if status := (message.headers or {}).get(Header.STATUS):
                return group, status
            group.append(message)
    except TimeoutError:
        return group, StatusCode.REQUEST_TIMEOUT
    return group, ""
