"""By what credentials a gateway knows its callers, and what of it runs in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from opentelemetry.metrics import Meter

from maie_core.caller import CallerKind
from maie_gateway.access.key_callers import BootstrapKey, KeyCallers, caller_id
from maie_gateway.access.key_ring import KeyRing
from maie_gateway.access.key_store import KeyStore
from maie_gateway.access.settings import AccessSettings
from maie_gateway.access.signing_keys import SigningKeys, from_file, from_url
from maie_gateway.access.token_callers import TokenCallers
from maie_gateway.access.token_settings import TokenSettings
from maie_gateway.shares.callers import ShareCallers
from maie_gateway.shares.store import ShareStore
from maie_runtime.background import background_tasks
from maie_runtime.bus.broker import Broker
from maie_runtime.rpc.callers.authenticator import Authenticator
from maie_runtime.rpc.callers.doors import doors
from maie_runtime.rpc.callers.running import RunningStreams

RECHECK_SECONDS = 1.0
"""Interval between checks whether the shares of running streams still work."""


class Guard:
    """Knows the callers of a gateway.

    Args:
        settings: Who may call.
        listen: The HOST:PORT that the gateway listens on.
        proxied: Whether others' calls come through a proxy, which may be on this machine.

    Attributes:
        authenticators: Who tells callers; before `running`, those with keys get UNAVAILABLE.
        streams: The streams that run; they end with their credentials.

    Raises:
        RuntimeError: The bootstrap key cannot be used.
    """

    def __init__(self, settings: AccessSettings, listen: str, *, proxied: bool) -> None:
        self.streams = RunningStreams()
        self._ring = KeyRing(lambda key_id: self.streams.recheck(caller_id(key_id)))
        self._signing_keys = _signing_keys(settings.tokens, self.streams.recheck)
        self._shares = ShareCallers()
        # Keys before shares: the sentence for who shows no credentials names them in this order.
        credentials: list[Authenticator] = [KeyCallers(self._ring), self._shares]
        if settings.bootstrap_key_file:
            credentials.insert(0, BootstrapKey(settings.bootstrap_key_file))
        if self._signing_keys:
            credentials.append(TokenCallers(settings.tokens, self._signing_keys))
        local_user = settings.local_user and not proxied
        self.authenticators = doors(listen, credentials, local_user=local_user)

    def observe(self, meter: Meter) -> None:
        """Makes the metrics of keys."""
        self._ring.observe(meter)

    @asynccontextmanager
    async def running(self, broker: Broker) -> AsyncIterator[KeyStore]:
        """Follows the keys of the mesh and of the issuer; gives the store of the former."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._ring.following(broker))
            stack.enter_context(self._shares.reading(ShareStore(broker)))
            await stack.enter_async_context(background_tasks(self._recheck_shares()))
            if self._signing_keys:
                await stack.enter_async_context(self._signing_keys.refreshing())
            yield KeyStore(broker, self._ring)

    async def _recheck_shares(self) -> None:
        """Ends streams whose shares were revoked, at whatever gateway."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            self.streams.recheck_kind(CallerKind.SHARE)


def _signing_keys(settings: TokenSettings, withdrawn: Callable[[], None]) -> SigningKeys | None:
    if not settings.issuer:
        return None
    fetch = from_file(settings.jwks_file) if settings.jwks_file else from_url(settings.jwks_url)
    return SigningKeys(fetch, settings.refresh_seconds, settings.least_refresh_seconds, withdrawn)
