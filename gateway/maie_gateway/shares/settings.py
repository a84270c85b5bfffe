"""The settings of shares; `MAIE_GATEWAY_SHARE_` in the environment."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from maie_core.settings import Settings


class ShareSettings(Settings):
    """How others may read recordings by a link; `MAIE_GATEWAY_SHARE_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_GATEWAY_SHARE_")

    default_days: float = Field(default=7.0, gt=0)
    """How long a share works for which nobody says how long."""
    max_days: float = Field(default=90.0, gt=0, le=3653)
    """The longest that a share may work."""
    max_per_job: int = Field(default=20, ge=0)
    """The most shares of one job that work; with 0 nobody may make any, and those that there are
    work on until they end."""
    max_per_tenant: int = Field(default=1000, ge=1, le=10_000)
    """The most shares of one tenant that work."""

    @model_validator(mode="after")
    def _default_within_most(self) -> Self:
        if self.default_days > self.max_days:
            raise ValueError(
                "MAIE_GATEWAY_SHARE_DEFAULT_DAYS is more than MAIE_GATEWAY_SHARE_MAX_DAYS; lower it"
            )
        return self

    @property
    def default_lifetime(self) -> timedelta:
        """How long a share works for which nobody says how long."""
        return timedelta(days=self.default_days)

    @property
    def longest_lifetime(self) -> timedelta:
        """The longest that a share may work."""
        return timedelta(days=self.max_days)
