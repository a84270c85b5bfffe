"""Notices finals in the logs of sessions. Every gateway runs one relay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from google.protobuf.message import DecodeError

from maie.live.v1 import session_pb2 as session
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_core.trace_context import within
from maie_gateway.webhooks.finals.audience import Audiences
from maie_gateway.webhooks.finals.feed import Feed
from maie_gateway.webhooks.finals.feeds import Feeds
from maie_gateway.webhooks.pulling import Puller, Source
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.tracing import traceparent_of_message
from maie_runtime.bus.types import Msg
from maie_runtime.bus.unreadable import Unreadable, dead_letter
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

# After this long, another gateway takes over the entries of one that died.
ACK_WAIT_SECONDS = 10.0
CONCURRENCY = 32


class FinalRelay:
    """Queues a note for each receiver of each final.

    The order does not matter, nor does a note too many. An entry counts as noticed once its notes
    are stored; until then it comes again, to any gateway.

    Args:
        broker: The broker.
        audiences: Who gets finals.
    """

    def __init__(self, broker: Broker, audiences: Audiences) -> None:
        self._broker = broker
        self._audiences = audiences
        self._feeds = Feeds(broker)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Notices finals as long as the context lasts."""
        source = Source(
            stream=subjects.SESSIONS,
            consumer=subjects.FINAL_RELAY,
            ack_wait_seconds=ACK_WAIT_SECONDS,
        )
        async with Puller(self._broker, source, CONCURRENCY, self._handle).running():
            yield

    async def _handle(self, message: Msg) -> None:
        session_id = message.subject.split(".")[-1]
        place = message.metadata.sequence.stream
        try:
            if await self._notice(session_id, place, message.data):
                await message.ack()
            else:
                unreadable = Unreadable(kind="session", job_id=session_id, place=place)
                await dead_letter(self._broker, unreadable)
                await message.term()
        except (StageError, *BROKER_ERRORS) as error:
            # The broker redelivers it after ack_wait.
            problem = str(error) or type(error).__name__
            ids = structlog.contextvars.bound_contextvars(job=session_id)
            with ids, within(traceparent_of_message(message)):
                log.warning("webhook.final_not_noticed", error=problem)

    async def _notice(self, session_id: str, place: int, data: bytes) -> bool:
        """Queues the notes of an entry; False where the log cannot be read."""
        try:
            data = await self._broker.opened(session_id, data)
            entry = session.SessionEntry.FromString(data)
            if not entry.HasField("finished"):
                return True
            audience = await self._audiences.of(session_id)
        except DecodeError:
            return False
        except StageError as error:
            if error.reason == Reason.UNREADABLE:
                return False
            if error.reason == Reason.DATA_KEY_GONE:
                return True  # the session was deleted
            raise
        await failpoint("finals.before_note")
        for receiver in audience.urls if audience else ():
            track = entry.finished.mark.number
            feed = Feed(session_id=session_id, receiver=receiver, track=track)
            await self._feeds.announce(feed, place)
        return True
