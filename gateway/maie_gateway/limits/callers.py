"""The limits of each tenant as they are now: those that were set, or else those of settings."""

from __future__ import annotations

from collections.abc import Mapping

from maie_gateway.limits.settings import LimitSettings, TenantLimits
from maie_runtime.rpc.limits.calls import TenantCalls
from maie_runtime.rpc.limits.rates import Rate


class CallerLimits:
    """What callers may ask of a gateway.

    Args:
        settings: The limits of settings.
    """

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        self._of = settings.tenants

    @property
    def tenants(self) -> frozenset[str]:
        """The tenants with limits of their own."""
        return frozenset(self._of)

    def replace(self, own: Mapping[str, TenantLimits]) -> None:
        """Replaces the limits that were set for single tenants; they come before settings."""
        configured = self._settings.tenants
        self._of = configured | {
            tenant: limits.over(configured.get(tenant, _NO_OTHERS))
            for tenant, limits in own.items()
        }

    def of(self, tenant: str) -> TenantLimits:
        """A tenant's own limits; unset ones are those of every tenant."""
        return self._of.get(tenant, _NO_OTHERS)

    def calls_of(self, tenant: str) -> TenantCalls:
        """A tenant's limits on calls and streams."""
        own, others = self.of(tenant), self._settings
        return TenantCalls(
            rate=Rate(
                per_second=own.requests_per_second or others.requests_per_second,
                burst=own.requests_burst or others.requests_burst,
            ),
            streams=own.streams or others.streams,
            watches=own.watches or others.watches,
            key_share=others.key_share,
        )

    def audio_hours_of(self, tenant: str) -> float | None:
        """How many hours of audio a tenant may have in a day; None for any."""
        own = self.of(tenant).audio_hours_per_day
        return own if own is not None else self._settings.audio_hours_per_day

    def voices_of(self, tenant: str) -> int:
        """How many profiles of voices a tenant may have; 0 where it may not find people by them."""
        own = self.of(tenant).voices
        return own if own is not None else self._settings.voices


_NO_OTHERS = TenantLimits()
