"""Enters calls in the audit log: before their answer, or when they fail."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from maie_core.errors import Code
from maie_gateway.audit.about import begin_call, current_call
from maie_gateway.audit.calls import CALLS, Audited, undecided
from maie_gateway.audit.entry import of_call
from maie_gateway.audit.log import AuditLog
from maie_runtime.rpc.auditing import Audit
from maie_runtime.rpc.callers.proxies import PeerOf, socket_peer
from maie_runtime.rpc.handlers import Around, BeforeAnswer

REFUSED = frozenset({Code.UNAUTHENTICATED.name, Code.PERMISSION_DENIED.name})
REPEATED_SECONDS = 60.0
"""For this long, a caller that reads the same again has no other entry."""
MAX_READS = 10_000
"""The reads that are remembered for it."""


class CallAudit:
    """Enters each call that changes something or reads content, and each that is refused.

    A call has one entry: before its answer, or before the first of a stream. Only where a stream
    is refused later, such as when its key is revoked, it has another one.

    Args:
        audit: The log.
        services: The full names of the server's services.
        calls: Which RPCs have an entry, by service and name.
        peer_of: Gives from where a call comes.

    Raises:
        RuntimeError: Nobody decided whether one of their RPCs has an entry.
    """

    def __init__(
        self,
        audit: AuditLog,
        services: Sequence[str],
        calls: Mapping[str, Mapping[str, Audited]] = CALLS,
        peer_of: PeerOf = socket_peer,
    ) -> None:
        if missing := undecided(services):
            raise RuntimeError(
                f"Nobody decided whether {', '.join(missing)} has entries in the audit log; say so "
                "in maie_gateway/audit/calls.py."
            )
        self._audit = audit
        self._peer_of = peer_of
        self._calls = calls
        self._reads = RecentReads()

    def of(self, rpc: str) -> Audit | None:
        """What goes around the calls of an RPC, and what comes before its answers."""
        service, _, method = rpc.partition("/")
        when = self._calls.get(service, {}).get(method)
        if when is None:
            return None
        return Audit(around=self._around(rpc, when), before_answer=self._before_answer(rpc, when))

    def _around(self, action: str, when: Audited) -> Around:
        @asynccontextmanager
        async def around(context: Any) -> AsyncIterator[None]:
            # Asked of a call that has ended, gRPC's C code crashes the process.
            about = begin_call(self._peer_of(context))
            try:
                yield
            except BaseException as error:
                entry = of_call(action, about, error, self._audit.gateway)
                is_noted = about.is_noted or when is Audited.REFUSED
                if entry.status in REFUSED or not is_noted:
                    self._audit.note(entry)
                raise

        return around

    def _before_answer(self, action: str, when: Audited) -> BeforeAnswer:
        async def before_answer(_: Any) -> None:
            about = current_call()
            if about is None or when is Audited.REFUSED:
                return
            entry = of_call(action, about, None, self._audit.gateway)
            read = (entry.caller_id, entry.tenant, action, entry.job_id)
            if when is Audited.CHANGE or not self._reads.has(read):
                await self._audit.write(entry)
                self._reads.add(read)
            about.is_noted = True

        return before_answer


class RecentReads:
    """Who read what a moment ago, so that a client that asks again and again has few entries."""

    def __init__(self) -> None:
        self._reads: OrderedDict[tuple[str, ...], float] = OrderedDict()

    def has(self, read: tuple[str, ...]) -> bool:
        """Whether this was read a moment ago, and has its entry."""
        return time.monotonic() - self._reads.get(read, -math.inf) < REPEATED_SECONDS

    def add(self, read: tuple[str, ...]) -> None:
        """Notes that this was read, and has its entry."""
        self._reads[read] = time.monotonic()
        self._reads.move_to_end(read)
        if len(self._reads) > MAX_READS:
            self._reads.popitem(last=False)
