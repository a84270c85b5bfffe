"""The notes of feeds, and how far feeds are, in the broker."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from maie.live.v1 import session_pb2 as session
from maie_gateway.webhooks.finals.feed import Feed
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.errors import APIError, KeyNotFoundError, NotFoundError
from maie_runtime.bus.jetstream import WRONG_LAST_SEQUENCE
from maie_runtime.bus.session_log import EXPECTED_LAST


class Standing(enum.Enum):
    """Where a note stands among those of its feed."""

    FIRST = "it holds the feed"
    WAITS = "another one holds the feed, and no later one waits"
    NEEDLESS = "it was removed, or a later one waits"


@dataclass(kw_only=True, frozen=True, slots=True)
class Position:
    """How far a feed is.

    Attributes:
        place: The place in the log up to which its finals are delivered or given up; 0 for none.
        refusals: How often the receiver refused the final after it.
        revision: What the next write of it is conditional on.
    """

    place: int = 0
    refusals: int = 0
    revision: int = 0


class FeedMovedError(Exception):
    """Another gateway went on with the feed."""


class Feeds:
    """Notes and positions.

    The first note of a feed holds it: one gateway at a time works on it. One that waits behind it
    is worked on after it, and so sees every final that is stored by now; further ones are needless.

    Raises:
        nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`.
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def announce(self, feed: Feed, place: int) -> None:
        """Queues a note about a final.

        Args:
            feed: The feed.
            place: The final's place in the log.
        """
        await self._queue(feed, f"{feed.key}/{place}")

    async def requeue(self, feed: Feed, note: int) -> None:
        """Queues a note behind those of other feeds, in place of all earlier ones of its own.

        Args:
            feed: The feed.
            note: The place of the note that holds it.
        """
        queued = await self._queue(feed, f"{feed.key}/after/{note}")
        # The last one first, so that no other one is the first meanwhile.
        await erase_all(self._broker, subjects.FINALS, feed.subject, before=queued)

    async def _queue(self, feed: Feed, message_id: str) -> int:
        return await self._broker.publish(feed.subject, session.FinalsDue(), message_id=message_id)

    async def standing(self, feed: Feed, note: int) -> Standing:
        """Where a note stands, by its place in the queue."""
        try:
            first = await self._broker.jetstream.get_msg(
                subjects.FINALS, seq=1, subject=feed.subject, next=True
            )
            if first.seq == note:
                return Standing.FIRST
            last = await self._broker.jetstream.get_last_msg(subjects.FINALS, feed.subject)
        except NotFoundError:
            return Standing.NEEDLESS
        # One that comes before the first was removed; so was one that comes after the last.
        return Standing.WAITS if last.seq == note else Standing.NEEDLESS

    async def position(self, feed: Feed) -> Position:
        """How far a feed is."""
        try:
            entry = await self._broker.feeds.get(feed.key)
            stored = session.FeedPosition.FromString(entry.value or b"")
        except KeyNotFoundError:
            return Position()
        return Position(place=stored.place, refusals=stored.refusals, revision=entry.revision or 0)

    async def move(self, feed: Feed, before: Position, place: int, refusals: int = 0) -> Position:
        """Stores how far a feed is.

        Args:
            feed: The feed.
            before: Its position so far.
            place: The place of the last final that is settled.
            refusals: How often the receiver refused the next one.

        Raises:
            FeedMovedError: The stored position differs from `before`.
        """
        stored = session.FeedPosition(place=place, refusals=refusals)
        try:
            written = await self._broker.jetstream.publish(
                subjects.bucket_subject(subjects.FEEDS, feed.key),
                stored.SerializeToString(),
                headers={EXPECTED_LAST: str(before.revision)},
            )
        except APIError as error:
            if error.err_code in WRONG_LAST_SEQUENCE:
                raise FeedMovedError from error
            raise
        return Position(place=place, refusals=refusals, revision=written.seq)
