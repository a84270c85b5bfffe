"""Who may call the gateway."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import Settings


class AccessSettings(Settings):
    """Who may call a gateway; `MAIE_GATEWAY_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_GATEWAY_")

    local_user: bool = True
    """On a loopback address, let the user who runs the gateway call it without a key, for any
    tenant. Turn it off where a proxy on the same machine forwards calls of others."""
    bootstrap_key_file: Path | None = Field(default=None)
    """A file with a key that has all scopes, to make the first keys with; `maie keys bootstrap
    FILE` writes one."""
