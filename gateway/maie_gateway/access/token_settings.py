"""Which JSON Web Tokens a gateway takes, and what they allow."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from maie_core.caller import ALL_SCOPES, OF_SHARES, Scope
from maie_core.redaction import masked_url
from maie_core.settings import Settings

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]


class TokenSettings(Settings):
    """JSON Web Tokens (JWT), such as of OpenID Connect; `MAIE_JWT_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_JWT_")

    issuer: str = ""
    """Who issues the tokens that the gateway takes: their claim `iss`. Empty: it takes none."""
    audience: str = ""
    """For whom tokens are: one of their claim `aud`. Needed with an issuer."""
    jwks_url: str = ""
    """Where the issuer's public keys are, over https (http for loopback addresses)."""
    jwks_file: Path | None = None
    """A file with the issuer's public keys, in place of MAIE_JWT_JWKS_URL."""
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "ES256"), min_length=1)
    """The signature algorithms that are taken, as a JSON list; only asymmetric ones."""
    tenant_claim: str = "tenant"
    """The claim with the tenant; dots lead into objects, as in `org.name`."""
    scopes_claim: str = "scope"
    """The claim with the scopes: a list, or words with blanks between; dots as above."""
    scopes: dict[str, Scope] = Field(
        default={f"maie:{scope}": scope for scope in sorted(ALL_SCOPES)}, validate_default=True
    )
    """Which value of that claim gives which scope, as a JSON object such as
    `{"transcribers": "submit"}`; other values give none."""
    leeway_seconds: float = Field(default=60.0, ge=0, le=600)
    """How far the issuer's clock may differ."""
    refresh_seconds: float = Field(default=3600.0, ge=1)
    """Interval between reads of the public keys. A key that the issuer withdrew is taken for up to
    this long, and while the issuer does not answer."""
    least_refresh_seconds: float = Field(default=30.0, ge=1)
    """The shortest interval between reads, for tokens with an unknown key and after failures."""

    @field_validator("scopes")
    @classmethod
    def _refuse_those_of_shares(cls, scopes: dict[str, Scope]) -> dict[str, Scope]:
        if not OF_SHARES.isdisjoint(scopes.values()):
            raise ValueError("only shares give the scopes shared and shared_audio; leave them out")
        return scopes

    @field_validator("jwks_url")
    @classmethod
    def _protect(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            scheme, local = parts.scheme, _is_local(parts.hostname)
            named = bool(parts.username or parts.password)
        except ValueError:
            raise ValueError(f"{masked_url(url)} is no URL") from None
        if url and scheme != "https" and not (scheme == "http" and local):
            raise ValueError(
                f"{masked_url(url)} must begin with https://, or others could send keys of their "
                "own"
            )
        if named:
            raise ValueError(
                f"{masked_url(url)} must have no user and no password; an issuer gives its public "
                "keys to everybody"
            )
        return url

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.issuer:
            if not self.audience:
                raise ValueError("MAIE_JWT_AUDIENCE must be set with MAIE_JWT_ISSUER")
            if bool(self.jwks_url) == bool(self.jwks_file):
                raise ValueError("set one of MAIE_JWT_JWKS_URL and MAIE_JWT_JWKS_FILE")
        return self


def _is_local(host: str | None) -> bool:
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
