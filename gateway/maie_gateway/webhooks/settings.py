"""What a gateway can be told about webhooks; `MAIE_WEBHOOKS_` in the environment."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from maie_runtime.limits import MAX_SECRET_CHARACTERS, MIN_SECRET_CHARACTERS
from maie_runtime.settings import Settings


class TenantWebhook(BaseModel):
    """A receiver that is told of every finished job of a tenant."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """Tells the tenant's receivers apart; part of what waits to be delivered, so keep it."""
    url: str
    """The receiver."""
    secret: SecretStr = Field(min_length=MIN_SECRET_CHARACTERS, max_length=MAX_SECRET_CHARACTERS)
    """Signs each delivery."""


class WebhookSettings(Settings):
    """How finished jobs are told to receivers."""

    model_config = SettingsConfigDict(env_prefix="MAIE_WEBHOOKS_")

    tenants: dict[str, tuple[TenantWebhook, ...]] = Field(default={})
    """Receivers of every job of a tenant: `{"TENANT": [{"name": ..., "url": ..., "secret": ...}]}`.
    The same for all gateways."""
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Private networks that receivers may be in, as a JSON list such as `["10.20.0.0/16"]`."""
    source: str = Field(default="maie", min_length=1)
    """The CloudEvents `source` of what is sent: a URI reference that names this mesh."""
    timeout_seconds: float = Field(default=10.0, gt=0)
    """A receiver that has not answered by then has failed."""
    retry_min_seconds: float = Field(default=1.0, gt=0)
    """The shortest time between two attempts."""
    retry_max_seconds: float = Field(default=3600.0, gt=0)
    """The longest time between two attempts."""
    give_up_hours: float = Field(default=24.0, gt=0)
    """A delivery that fails for so long goes to the dead letters."""
    concurrency: int = Field(default=32, ge=1, le=1024)
    """How many deliveries a gateway sends at once."""
    concurrency_per_receiver: int = Field(default=4, ge=1)
    """How many of them to the same host and port."""
    breaker_failures: int = Field(default=5, ge=1)
    """A host and port that fails so often in a row is left alone for a while."""
    breaker_pause_seconds: float = Field(default=30.0, gt=0)
    """How long it is left alone before one delivery tries it again."""

    @field_validator("tenants")
    @classmethod
    def _names_are_unique(
        cls, tenants: dict[str, tuple[TenantWebhook, ...]]
    ) -> dict[str, tuple[TenantWebhook, ...]]:
        for tenant, hooks in tenants.items():
            if len({hook.name for hook in hooks}) < len(hooks):
                raise ValueError(f"two webhooks of tenant {tenant} have the same name")
        return tenants
