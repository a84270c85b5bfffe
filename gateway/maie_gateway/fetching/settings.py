"""The settings of recordings from URLs; `MAIE_FETCH_` in the environment."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import Settings


class FetchSettings(Settings):
    """Which recordings a gateway fetches. Size and pace are limited as for uploads."""

    model_config = SettingsConfigDict(env_prefix="MAIE_FETCH_")

    enabled: bool = True
    """Whether callers may give a recording by its URL."""
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Private networks that recordings may be fetched from, as a JSON list such as
    `["10.20.0.0/16"]`. Callers can read all that answers there to a GET without credentials."""
    connect_seconds: float = Field(default=10.0, gt=0)
    """How long a server may take to be connected to, its name's resolution included."""
