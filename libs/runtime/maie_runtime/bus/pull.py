"""What waits for a durable consumer, as it comes, in as large groups as are there together.

nats-py's own `fetch(n)` with n above 1 keeps messages back: where the end of its
last request reaches it late, it waits for all n of them, or for its timeout.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import suppress

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import Header, StatusCode
from nats.js.errors import APIError

# A request dies with the server that holds it, so it is renewed this often.
REQUEST_SECONDS = 5.0
# The server ends a request by itself; this much later it must have been lost.
LATE_SECONDS = 1.0
_ENDED = (StatusCode.NO_MESSAGES, StatusCode.REQUEST_TIMEOUT)


async def pull_groups(
    client: Client,
    stream: str,
    consumer: str,
    *,
    size: int,
    request_seconds: float = REQUEST_SECONDS,
) -> AsyncGenerator[list[Msg], None]:
    """Yields the consumer's messages for ever; never an empty group.

    Whoever stops closes the iterator (contextlib.aclosing): what is delivered
    after that comes again when the consumer's ack_wait is over.

    Args:
        client: The connection.
        stream: The stream.
        consumer: The durable pull consumer.
        size: The most messages of a group.
        request_seconds: How long the server holds one request.

    Raises:
        APIError: The server refused the request.
        nats.errors.Error: The connection is closed.
    """
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    request = json.dumps({"batch": size, "expires": int(request_seconds * 1e9)}).encode()
    try:
        while True:
            await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", request, inbox)
            wanted, ended = size, ""
            while wanted > 0 and not ended:
                group, ended = await _next_group(
                    subscription, wanted, request_seconds + LATE_SECONDS
                )
                wanted -= len(group)
                if group:
                    yield group
            if ended and ended not in _ENDED:
                raise APIError(code=int(ended), description="The server refused to deliver.")
    finally:
        # The server takes back a request whose inbox is gone, so it swallows nothing.
        with suppress(NatsError, OSError):
            await subscription.unsubscribe()


async def _next_group(
    subscription: Subscription, size: int, seconds: float
) -> tuple[list[Msg], str]:
    """Waits for a message and takes what else is there, up to the end of the request.

    Returns:
        The messages, and the status that the request ended with; empty where it has not.
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
