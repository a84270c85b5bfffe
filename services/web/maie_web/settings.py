"""The settings of the web part; `MAIE_WEB_` in the environment."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from maie_core.secret_settings import SecretText
from maie_core.settings import FileSetting, MeshSettings, Settings
from maie_runtime.rpc.callers.proxies import check_proxies
from maie_runtime.vault.key_file import keys_in
from maie_web.oidc.provider import is_protected


class WebSettings(Settings):
    """The settings of the web part, which has no credentials of its own for the mesh."""

    model_config = SettingsConfigDict(env_prefix="MAIE_WEB_")

    mesh: MeshSettings = Field(default_factory=MeshSettings)
    """The settings that all processes of the mesh share."""
    listen: str = Field(default="127.0.0.1:8080", pattern=r"^.+:\d{1,5}$")
    """The HOST:PORT that HTTP listens on; port 0 picks a free one. Others than 127.0.0.1 and ::1
    need TLS."""
    gateway: str = "localhost:50051"
    """The gateway: HOST:PORT, or https://HOST:PORT for TLS; dns:NAME:PORT or
    ipv4:HOST:PORT,HOST:PORT are several."""
    gateway_ca_file: FileSetting = None
    """The certificates of the CAs of the gateway's certificate, as PEM; where set, the connection
    is over TLS."""
    tls_cert_file: FileSetting = None
    """The certificate that browsers and other clients see, as PEM, with those between it and its
    CA. A file that changes is read again, without a restart."""
    tls_key_file: FileSetting = None
    """The private key of MAIE_WEB_TLS_CERT_FILE, as PEM without a password."""
    plaintext: Literal["", "behind-a-proxy"] = ""
    """`behind-a-proxy`: a proxy on the way takes TLS, such as an ingress. HTTP is then served in
    the clear at any address; what API keys pass between must be closed to others."""
    trusted_proxies: Annotated[tuple[str, ...], AfterValidator(check_proxies)] = ()
    """The proxies before the web part, as a JSON list of networks, addresses and names of hosts;
    `local-user` is any program of the user who runs it, on the same machine. What they say of where
    a request comes from is passed on to gateways (MAIE_GATEWAY_TRUSTED_PROXIES)."""
    proxy_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    """The header in which they say it; the other one is not read."""
    local_user: bool = True
    """Whether the user who runs this process needs no credentials on a loopback address."""
    session_key: SecretText = ""
    """Seals the cookies of those who are logged in: lines of 32 random bytes in Base64, as
    `maie master-key` writes them. The first seals, and all open. All web parts behind one name need
    the same; where unset, each process makes one, and its restart logs everybody out."""
    session_hours: float = Field(default=12, gt=0, le=24 * 30)
    """How long a login lasts at most."""
    oidc_issuer: str = ""
    """The URL of the OpenID Connect provider where people log in; its tokens are judged by the
    gateway (MAIE_JWT_ISSUER). Empty: people log in with API keys alone."""
    oidc_client_id: str = ""
    """The id of this client at the provider. Needed with an issuer."""
    oidc_client_secret: SecretText = ""
    """The secret of this client at the provider; empty for a public client."""
    oidc_scopes: str = "openid"
    """What is asked for at the provider, with blanks between; with `openid`, and often with
    `offline_access` for a refresh token."""
    oidc_credential: Literal["access_token", "id_token"] = "access_token"
    """Which of the provider's tokens the gateway judges."""
    public_url: str = ""
    """The URL that browsers have for the web part, such as https://maie.example.com; the provider
    leads back to /v1/session/oidc/callback beneath it. Needed with an issuer."""
    max_connections: int = Field(default=500, ge=1)
    """The most connections at a time; calls beyond are refused with 503."""
    heartbeat_seconds: float = Field(default=15.0, gt=0)
    """The longest silence in a stream of events, after which a comment keeps the connection: less
    than what proxies on the way allow."""

    @field_validator("session_key")
    @classmethod
    def _has_keys(cls, text: str) -> str:
        if text:
            keys_in(text)
        return text

    @model_validator(mode="after")
    def _name_all_of_oidc(self) -> Self:
        if not self.oidc_issuer:
            return self
        if not self.oidc_client_id or not self.public_url:
            raise ValueError(
                "MAIE_WEB_OIDC_ISSUER needs MAIE_WEB_OIDC_CLIENT_ID and MAIE_WEB_PUBLIC_URL"
            )
        for url in (self.oidc_issuer, self.public_url):
            if not is_protected(url):
                raise ValueError(
                    "MAIE_WEB_OIDC_ISSUER and MAIE_WEB_PUBLIC_URL are https:// URLs, or http:// "
                    "ones of this machine"
                )
        if "openid" not in self.oidc_scopes.split():
            raise ValueError("MAIE_WEB_OIDC_SCOPES names openid")
        return self
