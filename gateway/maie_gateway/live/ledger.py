"""A gateway's hold on a session: its state, and the right to write the next entry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

import uuid_utils

from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.live.state import SessionState, apply, opened, replay
from maie_runtime.bus.session_log import ErasedError, FencedError, LoggedEntry, SessionLog

# The entries that clients see, and that are sent again to a client that lacks them.
DURABLE = frozenset({"finished", "refinement", "labelled", "ended"})
Committed = Callable[[session.SessionEntry], None]
Make = Callable[[SessionState], session.SessionEntry | None]


def ignore(_: session.SessionEntry) -> None:
    """Does nothing with a stored entry."""


class Ledger:
    """Writes a session's entries, one after the other, until another gateway takes the session.

    Args:
        log: The logs of sessions.
        state: The session as it is.
        place: The place of its last entry.

    Attributes:
        state: The session, with all entries that are stored.
        committed: Called with each entry once it is stored, in their order.
    """

    def __init__(self, log: SessionLog, state: SessionState, place: int) -> None:
        self.state = state
        self.committed: Committed = ignore
        self._log = log
        self._place = place
        # Another call of the same epoch, which loses, must not use the same message ids.
        self._writer = str(uuid_utils.uuid7())
        self._count = 0
        self._lock = asyncio.Lock()
        self._writing: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls, log: SessionLog, session_id: str, first: session.SessionOpened, gateway: str
    ) -> Self:
        """Begins a session and takes it.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
        """
        entry = session.SessionEntry(session_id=session_id, opened=first)
        entry.entry_time.GetCurrentTime()
        place = await log.append(entry, after=0, message_id=f"{session_id}/0/0")
        made = cls(log, opened(entry), place)
        await made._take(gateway)
        return made

    @classmethod
    async def take(cls, log: SessionLog, session_id: str, gateway: str) -> Self | None:
        """Takes a session over; the gateway that had it can write no more.

        Returns:
            None where there is no such session. One that has ended is not taken.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE; DATA_LOSS with UNREADABLE.
        """
        while True:
            made = await cls.read(log, session_id)
            if made is None or made.state.ended is not None:
                return made
            try:
                await made._take(gateway)
            except FencedError:
                continue  # another entry came in between
            return made

    @classmethod
    async def read(cls, log: SessionLog, session_id: str) -> Self | None:
        """Reads a session without taking it; None where there is no such session.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE; DATA_LOSS with UNREADABLE.
        """
        entries = await log.read(session_id)
        state = replay(logged.entry for logged in entries)
        return None if state is None else cls(log, state, entries[-1].place)

    @classmethod
    def read_only(cls, log: SessionLog, entries: Sequence[LoggedEntry]) -> Self:
        """The ledger of a session that has ended, which takes no more entries.

        Raises:
            StageError: DATA_LOSS with UNREADABLE.
        """
        state = replay(logged.entry for logged in entries)
        if state is None or state.ended is None:
            raise ValueError("The session has not ended.")
        return cls(log, state, entries[-1].place)

    async def catch_up(self) -> bool:
        """Reads what other calls wrote; gives whether there was anything.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE; DATA_LOSS with UNREADABLE.
        """
        async with self._lock:
            before = self._place
            try:
                async for logged in self._log.after(self.state.session_id, before):
                    self.state = apply(self.state, logged.entry)
                    self._place = logged.place
            except ErasedError:
                pass  # the session's job is gone as well
            return self._place != before

    async def take_back(self, gateway: str) -> bool:
        """Takes a session that was read, unless another entry came since; gives whether it did.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
        """
        try:
            await self._take(gateway)
        except FencedError:
            return False
        return True

    async def _take(self, gateway: str) -> None:
        taken = session.SessionEntry(taken=session.SessionTaken(gateway=gateway))
        await self._write(lambda _: taken, self.state.epoch + 1)

    async def commit(self, make: Make) -> None:
        """Stores an entry. When this returns, nobody can lose it.

        Args:
            make: Makes the entry from the session as it is right before; its session, epoch, time
                and sequence are filled in. None where it is too late for one.

        Raises:
            StageError: ABORTED with SESSION_TAKEN_OVER: another gateway has the session, or it
                was removed; UNAVAILABLE with BROKER_UNAVAILABLE.
        """
        # The caller may be cancelled, and whether the entry is stored must be known.
        writing = asyncio.create_task(self._write(make, self.state.epoch))
        self._writing.add(writing)
        writing.add_done_callback(self._written)
        try:
            await asyncio.shield(writing)
        except FencedError:
            raise taken_over() from None

    def _written(self, writing: asyncio.Task[None]) -> None:
        self._writing.discard(writing)
        if not writing.cancelled():
            writing.exception()  # marks it as retrieved, even if nobody waits any more

    async def _write(self, make: Make, epoch: int) -> None:
        async with self._lock:
            if self.state.ended is not None:
                raise taken_over()
            entry = make(self.state)
            if entry is None:
                return
            self._count += 1
            entry.session_id, entry.epoch = self.state.session_id, epoch
            entry.entry_time.GetCurrentTime()
            if is_durable(entry):
                entry.sequence = self.state.sequence + 1
            after = apply(self.state, entry)
            name = f"{entry.session_id}/{epoch}/{self._writer}/{self._count}"
            self._place = await self._log.append(entry, after=self._place, message_id=name)
            self.state = after
            self.committed(entry)


def is_durable(entry: session.SessionEntry) -> bool:
    """Whether the client gets an event of an entry."""
    return entry.WhichOneof("entry") in DURABLE or entry.speakers_merged.HasField("update")


def durable_event(entry: session.SessionEntry) -> live.TranscribeResponse | None:
    """The event that a client gets of an entry; None where it gets none."""
    event = live.TranscribeResponse(sequence=entry.sequence, event_time=entry.entry_time)
    match entry.WhichOneof("entry"):
        case "finished":
            event.final.CopyFrom(entry.finished.final)
        case "refinement":
            event.refinement.CopyFrom(entry.refinement)
        case "labelled":
            event.speaker_labels.CopyFrom(entry.labelled.labels)
        case "speakers_merged" if entry.speakers_merged.HasField("update"):
            event.speaker_update.CopyFrom(entry.speakers_merged.update)
        case "ended":
            event.ended.CopyFrom(entry.ended)
        case _:
            return None
    return event


def taken_over() -> StageError:
    """The error for a call that lost its session."""
    return StageError(
        Code.ABORTED,
        Reason.SESSION_TAKEN_OVER,
        "Another call goes on with the session; if that is not meant, use a session of your own.",
    )
