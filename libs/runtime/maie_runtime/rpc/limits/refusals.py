"""Counts the refusals of all limits, and limits how often an address shows wrong credentials."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from opentelemetry.metrics import Meter

from maie_core.errors import Code, StageError
from maie_core.limit_names import Limit
from maie_core.metrics import NO_METER
from maie_core.reasons import Reason
from maie_runtime.rpc.callers.proxies import PeerOf, socket_peer
from maie_runtime.rpc.handlers import Handler, HandlerInterceptor, wrapped
from maie_runtime.rpc.limits.pauses import Pauses
from maie_runtime.rpc.limits.rates import Rate, RateTable

# One customer of a provider has at least so much: https://www.rfc-editor.org/rfc/rfc6177
IPV6_PREFIX = 64
MINUTE_SECONDS = 60.0


class Refusals(HandlerInterceptor):
    """Counts refusals by limit; slows down an address that shows wrong credentials.

    Outside the interceptor that sets the Caller. Credentials are always checked, so that nobody
    is locked out by others behind the same proxy: only calls that failed are slowed down. Guessing
    is no danger, since a key has 256 random bits; this keeps failures from taking the gateway's
    time.

    Args:
        failures_per_minute: How many failures of one address are answered at once.
        pauses: Spreads refusals.
        meter: Makes the counter.
        peer_of: Gives from where a call comes.
    """

    def __init__(
        self,
        failures_per_minute: int,
        pauses: Pauses,
        meter: Meter = NO_METER,
        peer_of: PeerOf = socket_peer,
    ) -> None:
        self._peer_of = peer_of
        self._rate = Rate(
            per_second=failures_per_minute / MINUTE_SECONDS, burst=failures_per_minute
        )
        self._pauses = pauses
        self._failures = RateTable()
        self._refused = meter.create_counter(
            "maie.limit.refusals",
            unit="{call}",
            description="Calls that were refused since a limit of callers was reached, by limit.",
        )
        for limit in Limit:
            # A counter that is absent until its first event has no rate for it.
            self._refused.add(0, {"limit": limit})

    def around_handler(self, path: str, handler: Handler) -> Handler:
        """See `HandlerInterceptor`."""
        return wrapped(handler, self._counted)

    @asynccontextmanager
    async def _counted(self, context: Any) -> AsyncIterator[None]:
        # Asked of a call that has ended, gRPC's C code crashes the process.
        peer = self._peer_of(context)
        try:
            yield
        except StageError as error:
            if error.code is Code.UNAUTHENTICATED:
                await self._count_failure(peer, error)
            if error.limit is not None:
                self._refused.add(1, {"limit": error.limit})
            raise

    async def _count_failure(self, peer: str, failure: StageError) -> None:
        address = address_of(peer)
        if wait := self._failures.wait(address, self._rate):
            self._refused.add(1, {"limit": Limit.ADDRESS_FAILED_CREDENTIALS})
            await self._pauses.pause(address)
            raise _too_many_failures(self._rate, wait) from failure
        self._failures.take(address, self._rate)


def address_of(peer: str) -> str:
    """The address of a caller, without its port; of IPv6 the network.

    Args:
        peer: From where a call comes as gRPC writes it, such as "ipv6:%5B::1%5D:41234", or without
            a port.
    """
    scheme, _, place = unquote(peer).partition(":")
    if scheme == "ipv4":
        return place.partition(":")[0]
    if scheme != "ipv6":
        return place.rpartition(":")[0] or peer
    host = place.partition("]")[0].strip("[").partition("%")[0]
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return peer
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, IPV6_PREFIX), strict=False))


def _too_many_failures(rate: Rate, wait: float) -> StageError:
    limit = Limit.ADDRESS_FAILED_CREDENTIALS
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.RATE_LIMITED,
        f"More than {rate.burst:g} calls a minute from this address have wrong or no credentials, "
        f"the limit {limit}; send an API key or a token that works, as docs/access.md says.",
        retry_after=timedelta(seconds=wait),
        limit=limit,
    )
