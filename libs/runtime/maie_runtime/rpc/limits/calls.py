"""Limits the calls and streams of a key and of a tenant, at one gateway."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from maie_core.caller import Caller, current_caller
from maie_core.errors import Code, StageError
from maie_core.limit_names import Limit
from maie_core.reasons import Reason
from maie_runtime.rpc.callers.proxies import PeerOf, socket_peer
from maie_runtime.rpc.handlers import HEALTH, Handler, HandlerInterceptor, wrapped
from maie_runtime.rpc.limits.pauses import Pauses
from maie_runtime.rpc.limits.rates import Rate, RateTable
from maie_runtime.rpc.limits.refusals import address_of
from maie_runtime.rpc.limits.turns import Turns

STREAM_RETRY_AFTER = timedelta(seconds=5)
HEALTH_WATCH = f"{HEALTH}Watch"
# A client has one for each of its connections, if at all; many clients may come through a proxy.
HEALTH_WATCHES = 128
_WATCHES = frozenset({"/maie.job.v1.JobService/WatchJob", "/maie.job.v1.JobService/ProcessAudio"})


@dataclass(kw_only=True, frozen=True, slots=True)
class TenantCalls:
    """What a tenant may have at one server.

    Attributes:
        rate: How often it may call.
        streams: How many streams it may have.
        watches: How many of these may follow jobs.
        key_share: The share of these that one key or token may have.
    """

    rate: Rate
    streams: int
    watches: int
    key_share: float

    def share(self, count: int) -> int:
        """A key's share of its tenant's count."""
        return max(1, int(count * self.key_share))

    @property
    def rate_of_key(self) -> Rate:
        """How often one key may call."""
        return Rate(
            per_second=self.rate.per_second * self.key_share,
            burst=max(1.0, self.rate.burst * self.key_share),
        )


@dataclass(kw_only=True, frozen=True, slots=True)
class _Place:
    """What a stream counts against.

    Attributes:
        limit: The limit.
        whose: The key or tenant, in words.
        most: How many there may be.
        what: What is counted, in words.
    """

    limit: Limit
    whose: str
    most: int
    what: str


class CallLimits(HandlerInterceptor):
    """Refuses calls and streams of a key or a tenant that has as many as it may.

    Also watches of health of an address that has many, since anybody may call these.

    Inside the interceptor that sets the Caller. The user who runs the gateway is not limited: it
    could stop the gateway as well. Of each key or token, a few calls run at a time, and the others
    wait for their turn. Refusals of one caller are spread over time, so that a client that tries
    again at once does not keep the gateway busy with them.

    Args:
        limits_of: Gives the limits of a tenant.
        pauses: Spreads refusals.
        peer_of: Gives from where a call comes.
    """

    def __init__(
        self,
        limits_of: Callable[[str], TenantCalls],
        pauses: Pauses,
        peer_of: PeerOf = socket_peer,
    ) -> None:
        self._peer_of = peer_of
        self._limits_of = limits_of
        self._pauses = pauses
        self._rates = RateTable()
        self._turns = Turns()
        self._running: Counter[tuple[Limit, str]] = Counter()

    def around_handler(self, path: str, handler: Handler) -> Handler:
        """See `HandlerInterceptor`."""
        if path == HEALTH_WATCH:
            return wrapped(handler, self._watching_health)
        if path.startswith(HEALTH):
            return handler
        is_stream = handler.request_streaming or handler.response_streaming
        is_watch = path in _WATCHES

        def around(_: Any) -> AbstractAsyncContextManager[None]:
            return self._limited(is_stream=is_stream, is_watch=is_watch)

        return wrapped(handler, around)

    @asynccontextmanager
    async def _limited(self, *, is_stream: bool, is_watch: bool) -> AsyncIterator[None]:
        caller = current_caller()
        if not caller.limited_id:
            yield
            return
        await self._count_request(caller)
        if not is_stream:
            async with self._turns.turn(caller.id):
                yield
            return
        places = tuple(self._places(caller, is_watch=is_watch))
        if full := next((each for each in places if self._is_full(each)), None):
            await self._pauses.pause(caller.id)
            raise _too_many(full)
        with self._stream(places):
            yield

    @asynccontextmanager
    async def _watching_health(self, context: Any) -> AsyncIterator[None]:
        """Limits what anybody may hold without credentials."""
        address = address_of(self._peer_of(context))
        place = _Place(
            limit=Limit.ADDRESS_HEALTH_WATCHES,
            whose=f"The address {address}",
            most=HEALTH_WATCHES,
            what="watches of health",
        )
        if self._is_full(place):
            await self._pauses.pause(address)
            raise _too_many(place)
        with self._stream((place,)):
            yield

    async def _count_request(self, caller: Caller) -> None:
        """Takes a token of the key and of the tenant.

        Raises:
            StageError: RESOURCE_EXHAUSTED with RATE_LIMITED.
        """
        limits = self._limits_of(caller.tenant)
        key, tenant = f"The key or token {caller.id}", f"The tenant {caller.tenant}"
        buckets = (
            (Limit.KEY_REQUESTS, caller.id, key, limits.rate_of_key),
            (Limit.TENANT_REQUESTS, caller.tenant, tenant, limits.rate),
        )
        for limit, name, whose, of in buckets:
            if wait := self._rates.wait(f"{limit} {name}", of):
                await self._pauses.pause(caller.id)
                raise _too_fast(limit, whose, of, wait)
        for limit, name, _, of in buckets:
            self._rates.take(f"{limit} {name}", of)

    def _places(self, caller: Caller, *, is_watch: bool) -> Iterator[_Place]:
        limits = self._limits_of(caller.tenant)
        kinds = [(Limit.KEY_STREAMS, Limit.TENANT_STREAMS, limits.streams)]
        if is_watch:
            kinds.append((Limit.KEY_WATCHES, Limit.TENANT_WATCHES, limits.watches))
        for of_key, of_tenant, most in kinds:
            what = "streams" if of_tenant is Limit.TENANT_STREAMS else "watches of jobs"
            yield _Place(
                limit=of_key,
                whose=f"The key or token {caller.id}",
                most=limits.share(most),
                what=what,
            )
            yield _Place(limit=of_tenant, whose=f"The tenant {caller.tenant}", most=most, what=what)

    def _is_full(self, place: _Place) -> bool:
        return self._running[place.limit, place.whose] >= place.most

    @contextmanager
    def _stream(self, places: Iterable[_Place]) -> Iterator[None]:
        """Counts a stream while it runs."""
        names = [(place.limit, place.whose) for place in places]
        self._running.update(names)
        try:
            yield
        finally:
            self._running.subtract(names)
            for name in names:
                if not self._running[name]:
                    del self._running[name]


def _too_fast(limit: Limit, whose: str, rate: Rate, wait: float) -> StageError:
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.RATE_LIMITED,
        f"{whose} makes more than {rate.per_second:g} calls a second at this gateway, the limit "
        f"{limit}; wait for the retry delay and call less often, or ask the operator for more.",
        retry_after=timedelta(seconds=wait),
        limit=limit,
    )


def _too_many(place: _Place) -> StageError:
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.STREAMS_FULL,
        f"{place.whose} has {place.most} {place.what} at this gateway, the limit {place.limit}; "
        "end one, or try again later.",
        retry_after=STREAM_RETRY_AFTER,
        limit=place.limit,
    )
