"""The logs of live sessions: each entry is stored on the condition that its writer knows the last.

That condition is all that keeps two gateways from writing to one session: who lost it to another
can write no more. A lost answer leaves open whether an entry was stored. It is sent again under
the same id; the broker then names it a duplicate or, as it checks the condition first, refuses
it, and who reads the entry after the last known one finds out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError
from nats.js.errors import APIError, NotFoundError

from maie.live.v1 import session_pb2 as session
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import (
    BROKER_ERRORS,
    REQUEST_TIMEOUT_SECONDS,
    Broker,
    broker_unavailable,
    may_pass,
)
from maie_runtime.bus.direct_get import Stored, stored_messages
from maie_runtime.bus.jetstream import MESSAGE_ID, WRONG_LAST_SEQUENCE
from maie_runtime.bus.types import Msg

EXPECTED_LAST = "Nats-Expected-Last-Subject-Sequence"
# How many entries are read at a time.
PAGE = 256
PAUSE_SECONDS = 0.2
# Longer than a broker restarts; a session that waits longer is resumed by its client.
GIVE_UP_SECONDS = 30.0


class FencedError(Exception):
    """Another gateway, or a removal, wrote to the session's log: this writer has lost it."""


class ErasedError(Exception):
    """The session's log was erased while it was read."""


@dataclass(kw_only=True, frozen=True, slots=True)
class LoggedEntry:
    """An entry of a session's log.

    Attributes:
        place: Its sequence in the stream, which the next entry is conditional on.
        entry: The entry.
    """

    place: int
    entry: session.SessionEntry


class SessionLog:
    """The stream of the logs of sessions.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE, or DATA_LOSS with UNREADABLE.
    """

    def __init__(self, broker: Broker, give_up_seconds: float = GIVE_UP_SECONDS) -> None:
        self._broker = broker
        self._give_up_seconds = give_up_seconds

    async def append(self, entry: session.SessionEntry, *, after: int, message_id: str) -> int:
        """Stores an entry and returns its place.

        Args:
            entry: The entry.
            after: The place of the session's last entry; 0 for its first.
            message_id: Names this entry and no other, also among those of other gateways.

        Raises:
            FencedError: The last entry is another one.
        """
        headers = {MESSAGE_ID: message_id, EXPECTED_LAST: str(after)}
        subject = subjects.session(entry.session_id)
        data = await self._broker.sealed(entry.session_id, entry.SerializeToString())
        give_up = time.monotonic() + self._give_up_seconds
        while True:
            try:
                return await self._try(subject, data, headers)
            except BROKER_ERRORS as error:
                if time.monotonic() >= give_up or not may_pass(error):
                    raise broker_unavailable(error) from error
            await asyncio.sleep(PAUSE_SECONDS)

    async def _try(self, subject: str, data: bytes, headers: dict[str, str]) -> int:
        try:
            stored = await self._broker.jetstream.publish_once(
                subject, data, timeout=REQUEST_TIMEOUT_SECONDS, headers=headers
            )
        except APIError as error:
            if error.err_code not in WRONG_LAST_SEQUENCE:
                raise
            return await self._stored_before(subject, headers)
        return stored.seq

    async def _stored_before(self, subject: str, headers: dict[str, str]) -> int:
        """The place of an entry that an earlier try stored."""
        try:
            found = await self._broker.jetstream.get_msg(
                subjects.SESSIONS,
                seq=int(headers[EXPECTED_LAST]) + 1,
                subject=subject,
                next=True,
            )
        except NotFoundError:
            raise FencedError from None  # the log was erased
        if (found.headers or {}).get(MESSAGE_ID) != headers[MESSAGE_ID]:
            raise FencedError
        return found.seq or 0

    async def read(self, session_id: str) -> list[LoggedEntry]:
        """All entries of a session, the oldest first; empty where there is no such session."""
        try:
            return [logged async for logged in self.after(session_id, 0)]
        except ErasedError:
            return []

    async def after(self, session_id: str, place: int) -> AsyncIterator[LoggedEntry]:
        """The entries after a place that are there now, the oldest first.

        It reads page by page. There are none where there is no such session.

        Raises:
            ErasedError: The session was erased meanwhile.
        """
        last = await self.last(session_id)
        give_up = time.monotonic() + self._give_up_seconds
        # A server of a cluster that answers direct reads may be a moment behind.
        while last is not None and place < last.place:
            page = await self._page(session_id, place + 1)
            for logged in page:
                place = logged.place
                yield logged
            if not page:
                if time.monotonic() >= give_up:
                    raise broker_unavailable()
                await asyncio.sleep(PAUSE_SECONDS)
                last = await self.last(session_id)
                if last is None:
                    raise ErasedError

    async def _page(self, session_id: str, start: int) -> list[LoggedEntry]:
        try:
            page = await stored_messages(
                self._broker.client,
                subjects.SESSIONS,
                subjects.session(session_id),
                PAGE,
                start=start,
            )
        except (*BROKER_ERRORS, TimeoutError) as error:
            raise broker_unavailable(error) from error
        return [await self._decoded(session_id, stored) for stored in page]

    async def first(self, session_id: str) -> LoggedEntry | None:
        """The first entry of a session; None where there is no such session."""
        return await self._get(session_id, seq=1, next=True)

    async def last(self, session_id: str) -> LoggedEntry | None:
        """The last entry of a session; None where there is no such session."""
        return await self._get(session_id)

    async def _get(self, session_id: str, **which: Any) -> LoggedEntry | None:
        try:
            found = await self._broker.jetstream.get_msg(
                subjects.SESSIONS, subject=subjects.session(session_id), **which
            )
        except NotFoundError:
            return None
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        stored = Stored(sequence=found.seq or 0, data=found.data or b"", operation="")
        return await self._decoded(session_id, stored)

    async def _decoded(self, session_id: str, stored: Stored) -> LoggedEntry:
        try:
            entry = await self._entry(session_id, stored.data)
        except DecodeError as error:
            raise StageError(
                Code.DATA_LOSS,
                Reason.UNREADABLE,
                f"Entry {stored.sequence} of a live session's log cannot be read; look for another "
                "program that writes to NATS.",
            ) from error
        return LoggedEntry(place=stored.sequence, entry=entry)

    async def _entry(self, session_id: str, data: bytes) -> session.SessionEntry:
        return session.SessionEntry.FromString(await self._broker.opened(session_id, data))

    @asynccontextmanager
    async def watching(
        self, session_id: str, noticed: Callable[[session.SessionEntry], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """Calls `noticed` with each entry that anybody writes or tries to write.

        It is a hint: an entry may be missed, and a refused one is noticed too.
        """

        async def received(message: Msg) -> None:
            try:
                await noticed(await self._entry(session_id, message.data))
            except (DecodeError, StageError):
                return

        try:
            following = await self._broker.client.subscribe(
                subjects.session(session_id), cb=received
            )
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        try:
            yield
        finally:
            with suppress(*BROKER_ERRORS):
                await following.unsubscribe()
