"""Watches a bucket: all entries that it has, a mark that these were all, and then each change.

nats-py's own watch may give that mark too soon: it asks the server how much is pending, and the
server may have sent messages that have not arrived when its answer does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DeliverPolicy

from maie_runtime.bus import subjects

# Entries that wait for the watcher; then the rest waits in the client.
QUEUED_ENTRIES = 256
# The server removes a consumer whose watcher is gone.
FORGOTTEN_SECONDS = 300.0
LOOK_AGAIN_SECONDS = 0.05
# What a message without a value has: a removal, or the server's own mark of an expired entry.
_REMOVALS = ("KV-Operation", "Nats-Marker-Reason")


@dataclass(kw_only=True, frozen=True, slots=True)
class Entry:
    """An entry of a bucket.

    Attributes:
        key: The key.
        value: The value; None where the key was removed.
        revision: The bucket's revision of this entry.
    """

    key: str
    value: bytes | None
    revision: int


class _Arrivals:
    """What has arrived of a watch, in its order."""

    def __init__(self, bucket: str) -> None:
        self.queue: asyncio.Queue[Entry | None] = asyncio.Queue(QUEUED_ENTRIES)
        self.last = 0
        self._prefix = len(subjects.bucket_subject(bucket, ""))

    async def take(self, message: Msg) -> None:
        """Takes a message of the bucket's stream."""
        removed = any(name in (message.headers or {}) for name in _REMOVALS)
        revision = message.metadata.sequence.stream
        entry = Entry(
            key=message.subject[self._prefix :],
            value=None if removed else message.data,
            revision=revision,
        )
        await self.queue.put(entry)
        self.last = revision


async def watch(jetstream: JetStreamContext, bucket: str) -> AsyncGenerator[Entry | None, None]:
    """Yields the last entry of each key, then None, and then all further entries.

    It ends by an error only, and a broker that is gone is none: a watcher notices a reconnection
    and watches again.

    Raises:
        nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`.
    """
    arrivals = _Arrivals(bucket)
    subscription = await jetstream.subscribe(
        subjects.bucket_subject(bucket, ">"),
        stream=subjects.bucket_stream(bucket),
        cb=arrivals.take,
        ordered_consumer=True,
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
        inactive_threshold=FORGOTTEN_SECONDS,
    )
    marking = asyncio.create_task(_mark(subscription, arrivals))
    try:
        while True:
            entry = await arrivals.queue.get()
            if entry is None:
                await marking
            yield entry
    finally:
        marking.cancel()
        with suppress(NatsError, OSError):
            await subscription.unsubscribe()


async def _mark(subscription: JetStreamContext.PushSubscription, arrivals: _Arrivals) -> None:
    """Puts the mark behind all that the server had sent when nothing more was pending."""
    try:
        while True:
            if await _has_all(subscription, arrivals):
                break
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
    except Exception:
        # The watcher awaits this task at the mark, and gets the error there.
        await arrivals.queue.put(None)
        raise
    await arrivals.queue.put(None)


async def _has_all(subscription: JetStreamContext.PushSubscription, arrivals: _Arrivals) -> bool:
    """Whether the server has nothing more to send, and all that it sent has arrived."""
    info = await subscription.consumer_info()
    sent = info.delivered
    return not info.num_pending and (
        sent is None or not sent.consumer_seq or sent.stream_seq <= arrivals.last
    )
