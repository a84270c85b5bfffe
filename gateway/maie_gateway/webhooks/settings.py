"""The settings of webhooks; `MAIE_WEBHOOKS_` in the environment."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from maie_core.limits import MAX_SECRET_CHARACTERS, MIN_SECRET_CHARACTERS
from maie_core.settings import Settings


class TenantWebhook(BaseModel):
    """A receiver that is notified of every finished job of a tenant."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """Identifies the receiver within the tenant; queued deliveries name it, so do not change it."""
    url: str
    """The receiver's URL."""
    secret: SecretStr = Field(min_length=MIN_SECRET_CHARACTERS, max_length=MAX_SECRET_CHARACTERS)
    """Signs each delivery."""


class WebhookSettings(Settings):
    """How receivers are notified of finished jobs."""

    model_config = SettingsConfigDict(env_prefix="MAIE_WEBHOOKS_")

    tenants: dict[str, tuple[TenantWebhook, ...]] = Field(default={})
    """Receivers of every job of a tenant: `{"TENANT": [{"name": ..., "url": ..., "secret": ...}]}`.
    The same for all gateways."""
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Private networks that receivers may be in, as a JSON list such as `["10.20.0.0/16"]`."""
    source: str = Field(default="maie", min_length=1)
    """The CloudEvents `source` of each event: a URI reference that names this mesh."""
    timeout_seconds: float = Field(default=10.0, gt=0)
    """How long a receiver may take to answer."""
    retry_min_seconds: float = Field(default=1.0, gt=0)
    """The shortest time between two attempts."""
    retry_max_seconds: float = Field(default=3600.0, gt=0)
    """The longest time between two attempts."""
    give_up_hours: float = Field(default=24.0, gt=0)
    """Dead-letter a delivery that fails for this long."""
    concurrency: int = Field(default=32, ge=1, le=1024)
    """The most concurrent deliveries of a gateway."""
    concurrency_per_receiver: int = Field(default=4, ge=1)
    """The most concurrent deliveries to one host and port."""
    breaker_failures: int = Field(default=5, ge=1)
    """Open the circuit breaker of a host and port after this many failures in a row."""
    breaker_pause_seconds: float = Field(default=30.0, gt=0)
    """How long the circuit breaker stays open before one delivery tries the receiver again."""

    @field_validator("tenants")
    @classmethod
    def _names_are_unique(
        cls, tenants: dict[str, tuple[TenantWebhook, ...]]
    ) -> dict[str, tuple[TenantWebhook, ...]]:
        for tenant, hooks in tenants.items():
            if len({hook.name for hook in hooks}) < len(hooks):
                raise ValueError(f"two webhooks of tenant {tenant} have the same name")
        return tenants
