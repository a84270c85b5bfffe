"""The settings of webhooks; `MAIE_WEBHOOKS_` in the environment."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from maie.job.v1 import job_pb2 as job
from maie_core.errors import StageError
from maie_core.limits import MAX_SECRET_CHARACTERS, MIN_SECRET_CHARACTERS
from maie_core.secret_settings import SecretMark
from maie_core.settings import Settings
from maie_gateway.webhooks.events import NAMES
from maie_gateway.webhooks.signatures import standard_key


class TenantWebhook(BaseModel):
    """A receiver that is notified of every job of a tenant."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """Identifies the receiver within the tenant; queued deliveries name it, so do not change it."""
    url: str = Field(repr=False)
    """The receiver's URL, which may have a token in it."""
    secret: SecretStr = Field(min_length=MIN_SECRET_CHARACTERS, max_length=MAX_SECRET_CHARACTERS)
    """Signs each delivery; a random text, or `whsec_` and a key in Base64."""
    events: tuple[Literal["job_finished", "live_final"], ...] = Field(
        default=("job_finished",), min_length=1
    )
    """What it receives: `job_finished`, and `live_final` for each final of a live session."""

    @field_validator("secret")
    @classmethod
    def _is_a_key(cls, secret: SecretStr) -> SecretStr:
        try:
            standard_key(secret.get_secret_value())
        except StageError as error:
            raise ValueError(error.message) from error
        return secret

    @property
    def wanted(self) -> tuple[job.WebhookEvent, ...]:
        """What it receives, as the contract names it."""
        return tuple(NAMES[name] for name in self.events)


class WebhookSettings(Settings):
    """How receivers are notified of finished jobs, and of finals of live sessions."""

    model_config = SettingsConfigDict(env_prefix="MAIE_WEBHOOKS_")

    tenants: Annotated[dict[str, tuple[TenantWebhook, ...]], SecretMark()] = Field(default={})
    """Receivers of every job of a tenant: `{"TENANT": [{"name": ..., "url": ..., "secret": ...}]}`;
    with `"events": ["job_finished", "live_final"]` also of the finals of live sessions. The same
    for all gateways."""
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
    final_refusals: int = Field(default=5, ge=1)
    """Dead-letter a final that its receiver refused this many times, so that it does not hold back
    the later ones of its track. A receiver that does not answer, or answers 5xx or 429, refuses
    nothing."""
    concurrency: int = Field(default=32, ge=1, le=1024)
    """The most concurrent deliveries of a gateway; finals of live sessions have as many of their
    own."""
    concurrency_per_receiver: int = Field(default=4, ge=1)
    """The most concurrent deliveries to one host and port; finals of live sessions have as many of
    their own."""
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
