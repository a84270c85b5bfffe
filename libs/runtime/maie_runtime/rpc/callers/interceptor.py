"""Finds out who calls, once for each call, and whether it may."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from opentelemetry import trace

from maie_core.attributes import TENANT
from maie_core.caller import Caller, Scope, set_caller
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.callers.authenticator import (
    AUTHORIZATION,
    Authenticator,
    Call,
    call_of,
    credentials_invalid,
)
from maie_runtime.rpc.callers.running import RunningStreams
from maie_runtime.rpc.callers.scopes import needs
from maie_runtime.rpc.callers.tenant import for_named_tenant
from maie_runtime.rpc.handlers import Around, Handler, HandlerInterceptor, wrapped
from maie_runtime.rpc.log_ids import bind_ids

log = structlog.get_logger()


class CallerInterceptor(HandlerInterceptor):
    """Sets the Caller of each call; refuses calls without credentials, scope or tenant.

    Args:
        authenticators: Who tells callers; the first that knows the credentials decides.
        streams: Where streams are noted, which end with their credentials.

    Attributes:
        server: The server's HOST:PORT, once it is bound.
    """

    def __init__(
        self, authenticators: Sequence[Authenticator], streams: RunningStreams | None = None
    ) -> None:
        self.server = ""
        self._authenticators = authenticators
        self._streams = streams or RunningStreams()
        self._needs = needs()

    def around_handler(self, path: str, handler: Handler) -> Handler:
        """See `HandlerInterceptor`."""
        if path not in self._needs:
            return wrapped(handler, lambda _: self._undeclared(path))
        need = self._needs[path]
        if need is None:
            return handler
        streams = handler.request_streaming or handler.response_streaming
        return wrapped(handler, self._around_stream(need) if streams else self._around(need))

    def _around(self, need: frozenset[Scope]) -> Around:
        @asynccontextmanager
        async def around(context: Any) -> AsyncIterator[None]:
            await self._let_in(call_of(context, self.server), need)
            yield

        return around

    def _around_stream(self, need: frozenset[Scope]) -> Around:
        @asynccontextmanager
        async def around(context: Any) -> AsyncIterator[None]:
            call = call_of(context, self.server)
            admit = partial(self._admit, call, need)
            async with self._streams.stream(await self._let_in(call, need), admit):
                yield

        return around

    async def _let_in(self, call: Call, need: frozenset[Scope]) -> Caller:
        caller = await self._admit(call, need)
        # A call has a task of its own.
        bind_ids(caller, call.metadata)
        trace.get_current_span().set_attribute(TENANT, caller.tenant)
        return caller

    async def _admit(self, call: Call, need: frozenset[Scope]) -> Caller:
        caller = await self._caller_of(call)
        # The audit log names also those who are refused from here on.
        set_caller(caller)
        caller = for_named_tenant(caller, call.metadata)
        set_caller(caller)
        if not need & caller.scopes:
            raise StageError(
                Code.PERMISSION_DENIED,
                Reason.SCOPE_MISSING,
                f"This call needs the scope {' or '.join(sorted(need))}, which its credentials do "
                "not have; use others, or ask who made them.",
            )
        return caller

    async def _caller_of(self, call: Call) -> Caller:
        for authenticator in self._authenticators:
            if (caller := await authenticator.caller_of(call)) is not None:
                return caller
        if AUTHORIZATION in call.metadata:
            raise credentials_invalid(
                "The credentials of the call are of no kind that this server takes; docs/access.md "
                "says which there are."
            )
        ways = " Or: ".join(each.remedy for each in self._authenticators)
        raise StageError(
            Code.UNAUTHENTICATED,
            Reason.CREDENTIALS_MISSING,
            f"The server does not know who calls. {ways} docs/access.md says more.",
        )

    @asynccontextmanager
    async def _undeclared(self, path: str) -> AsyncIterator[None]:
        """Refuses an RPC that was added to a running server behind the table's back."""
        log.error("grpc.scope_undeclared", rpc=path)
        raise StageError(
            Code.INTERNAL, Reason.INTERNAL, "Nobody said who may call this; report it."
        )
        yield
