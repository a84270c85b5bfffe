"""Who may call the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import Settings
from maie_gateway.access.token_settings import TokenSettings
from maie_runtime.rpc.callers.proxies import check_proxies


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
    trusted_proxies: Annotated[tuple[str, ...], AfterValidator(check_proxies)] = ()
    """Before which proxies clients are, such as the web part, as a JSON list of networks, addresses
    and names of hosts, which are looked up every few seconds; `local-user` is any program of the
    user who runs the gateway, on the same machine. What they send as `x-forwarded-for` is where a
    call comes from, for the audit log and the limits of addresses. Others are not believed."""
