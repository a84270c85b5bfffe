"""What the broker is given to store, by stream: counted where it is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from nats.aio.client import Client
from nats.aio.msg import Msg

from maie_runtime.bus.streams import STREAMS

# As many as come: none may be left out.
NO_LIMIT = -1


@dataclass(kw_only=True)
class Published:
    """What was published to streams since the count began.

    Attributes:
        messages: How many messages, by stream.
        sizes: Their bytes: subjects, headers and payloads.
    """

    messages: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)

    def note(self, stream: str, message: Msg) -> None:
        """Counts a message."""
        headers = (message.headers or {}).items()
        self.messages[stream] += 1
        self.sizes[stream] += len(message.subject) + len(message.data)
        # As they go over the wire: "name: value" and a line's end.
        self.sizes[stream] += sum(len(name) + len(value) + 4 for name, value in headers)


@asynccontextmanager
async def counting(nats: Client) -> AsyncIterator[Published]:
    """Counts what is published to all streams while the context lasts."""
    published = Published()

    def counter(stream: str) -> Callable[[Msg], Awaitable[None]]:
        async def count(message: Msg) -> None:
            published.note(stream, message)

        return count

    subscriptions = [
        await nats.subscribe(
            subject,
            cb=counter(stream.name or ""),
            pending_msgs_limit=NO_LIMIT,
            pending_bytes_limit=NO_LIMIT,
        )
        for stream in STREAMS
        for subject in stream.subjects or ()
    ]
    await nats.flush()
    yield published
    for each in subscriptions:
        await each.unsubscribe()
