"""Writes the audit log: a stream to which gateways append, and in which nobody changes anything."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from maie.access.v1 import access_pb2 as access
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.audit.entry import of_mesh
from maie_runtime.background import background_tasks
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import RETRY_AFTER, Broker
from maie_runtime.bus.outages import RIDE_OUT_SECONDS
from maie_runtime.rpc.limits.refusals import address_of

log = structlog.get_logger()

GIVE_UP_SECONDS = RIDE_OUT_SECONDS
"""How long a call waits for its entry."""
WINDOW_SECONDS = 10.0
MAX_PER_WINDOW = 100
"""The most failed calls of a gateway that have an entry each in a window; the others are counted.
A flood makes so at most 10 entries a second, some 250 MB a day."""
MAX_PER_CALLER = 20
"""Of them, those of one caller, or of one address without a caller."""
LEAVE_SECONDS = 5.0
NOT_NOTED = "CallsNotNoted"
"""The act that says how many failed calls have no entry."""
ID_BYTES = 12


class AuditLog:
    """The audit log of a mesh, written by one gateway.

    Args:
        gateway: The gateway's name.
    """

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self._broker: Broker | None = None
        self._failed: asyncio.Queue[access.AuditEntry] = asyncio.Queue(MAX_PER_WINDOW)
        self._of_callers: Counter[str] = Counter()
        self._not_noted = 0
        self._writing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self, broker: Broker) -> AsyncIterator[None]:
        """Writes the entries of failed calls as long as the context lasts, and those left then."""
        self._broker = broker
        async with background_tasks(self._write_failed(), self._count()):
            yield
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                while not self._failed.empty():
                    await self._try(self._failed.get_nowait())
                await asyncio.gather(*self._writing, return_exceptions=True)
                await self._note_count()

    async def write(self, entry: access.AuditEntry, message_id: str = "") -> None:
        """Writes an entry before what it is about is answered; goes on where that is cancelled.

        Args:
            entry: The entry.
            message_id: The log takes one entry of this id within ten minutes; any where empty.

        Raises:
            StageError: UNAVAILABLE with AUDIT_UNAVAILABLE.
        """
        task = asyncio.create_task(self._write(entry, message_id))
        self._writing.add(task)
        task.add_done_callback(self._written)
        await asyncio.shield(task)

    def note(self, entry: access.AuditEntry) -> None:
        """Writes the entry of a call that failed in the background, or counts it where many do."""
        caller = entry.caller_id or address_of(entry.peer)
        if self._of_callers.total() < MAX_PER_WINDOW and self._of_callers[caller] < MAX_PER_CALLER:
            with suppress(asyncio.QueueFull):
                self._failed.put_nowait(entry)
                self._of_callers[caller] += 1
                return
        self._not_noted += 1

    async def act(
        self, name: str, *, tenant: str = "", job_id: str = "", voice_id: str = ""
    ) -> None:
        """Writes what the mesh is about to do by itself, once where several gateways do it.

        Raises:
            StageError: UNAVAILABLE with AUDIT_UNAVAILABLE.
        """
        entry = of_mesh(name, self.gateway, tenant=tenant, job_id=job_id, voice_id=voice_id)
        await self.write(entry, f"{name}/{job_id or voice_id or tenant}")

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writing.discard(task)
        if not task.cancelled():
            # The call that waited for it has the error as well, unless it was cancelled.
            task.exception()

    async def _write(self, entry: access.AuditEntry, message_id: str) -> None:
        assert self._broker is not None, "no call is served before"
        try:
            await self._broker.publish(
                subjects.audit(entry.tenant, entry.job_id),
                entry,
                message_id=message_id or secrets.token_hex(ID_BYTES),
                give_up_seconds=GIVE_UP_SECONDS,
            )
        except StageError as error:
            log.error(
                "audit.entry_not_written",
                action=entry.action,
                caller=entry.caller_id,
                job=entry.job_id,
                tenant=entry.tenant,
                status=entry.status,
                error=error.message,
            )
            raise StageError(
                Code.UNAVAILABLE,
                Reason.AUDIT_UNAVAILABLE,
                "The call could not be entered in the audit log, and may have had its effect; look "
                "whether it had, and make it again in a few seconds.",
                retry_after=RETRY_AFTER,
            ) from error

    async def _try(self, entry: access.AuditEntry) -> bool:
        try:
            await self._write(entry, "")
        except StageError:
            return False
        return True

    async def _write_failed(self) -> None:
        while True:
            if not await self._try(await self._failed.get()):
                self._not_noted += 1

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(WINDOW_SECONDS)
            self._of_callers.clear()
            await self._note_count()

    async def _note_count(self) -> None:
        if count := self._not_noted:
            self._not_noted = 0
            if not await self._try(of_mesh(NOT_NOTED, self.gateway, count=count)):
                self._not_noted += count
