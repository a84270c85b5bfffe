"""The audit log of a mesh, for who has the scope admin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from maie.access.v1 import access_pb2 as access
from maie.access.v1 import access_pb2_grpc as access_grpc
from maie_client.asking import Ask

FOLLOW_SECONDS = 2.0


class Audit:
    """Reads the audit log; `Client.audit` has it.

    Every method raises ClientError, such as PERMISSION_DENIED with SCOPE_MISSING.
    """

    def __init__(self, stub: Callable[[], access_grpc.AccessServiceStub], ask: Ask) -> None:
        self._stub = stub
        self._ask = ask

    async def page(
        self, request: access.ListAuditEntriesRequest
    ) -> access.ListAuditEntriesResponse:
        """Returns one page of entries, the oldest first."""
        found: access.ListAuditEntriesResponse = await self._ask(
            self._stub().ListAuditEntries, request
        )
        return found

    async def entries(
        self, wanted: access.ListAuditEntriesRequest, *, follow: bool = False
    ) -> AsyncGenerator[access.AuditEntry, None]:
        """Yields the entries that are wanted, the oldest first, over all pages.

        Args:
            wanted: Which entries.
            follow: Whether to go on for ever with those that come.
        """
        request = access.ListAuditEntriesRequest()
        request.CopyFrom(wanted)
        while True:
            page = await self.page(request)
            for entry in page.entries:
                yield entry
            request.after_entry_id = page.read_up_to
            if not page.more:
                if not follow:
                    return
                await asyncio.sleep(FOLLOW_SECONDS)
