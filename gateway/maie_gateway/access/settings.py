"""Who may call the gateway."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import Settings
from maie_gateway.access.token_settings import TokenSettings


class AccessSettings(Settings):
    """Who may call a gateway; `MAIE_GATEWAY_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_GATEWAY_")

    tokens: TokenSettings = Field(default_factory=TokenSettings)
    """Which JSON Web Tokens are taken."""
    local_user: bool = True
    """On a loopback address, let the user who runs the gateway call it without a key, for any
    tenant. Turn it off where a proxy on the same machine forwards calls of others."""
    bootstrap_key_file: Path | None = Field(default=None)
    """A file with a key that has all scopes, to make the first keys with; `maie keys bootstrap
    FILE` writes one."""
