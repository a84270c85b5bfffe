"""Settings of a model on a server of the KServe v2 protocol. An engine derives its own class."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from maie_core.settings import FileSetting, Settings

_ADDRESS = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):(\d{1,5})")
_MAX_PORT = 65535


class InferenceServerSettings(Settings):
    """A model on a server with the KServe v2 protocol over gRPC."""

    # pydantic reserves the prefix model_ by default.
    model_config = SettingsConfigDict(protected_namespaces=())

    address: str = ""
    """HOST:PORT of the server's gRPC; Triton listens on 8001."""
    tls: bool = True
    """Whether the connection is TLS. Without it, others on the way could hear the audio: `false` is
    for a server on the same machine, or behind a proxy there."""
    ca_file: FileSetting = None
    """The CAs of the server's certificate, as PEM; unset: the public CAs that gRPC knows. Files of
    certificates that change are read again."""
    cert_file: FileSetting = None
    """A certificate of this service's own, as PEM, where the server asks for one."""
    key_file: FileSetting = None
    """The private key of `cert_file`, as PEM without a password."""
    server_name: str = ""
    """The name in the server's certificate, where it is not the host of the address."""
    token_file: FileSetting = None
    """A file with the token that the server, or a proxy before it, asks for. It is read for each
    call, so that it may change. Only with TLS."""
    token_header: str = Field(default="authorization", pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    """The header that carries the token: `authorization` with `Bearer` before the token, any other
    with the token alone, such as Triton's `triton-grpc-protocol-KEY`."""
    model: str = ""
    """The model's name on the server."""
    model_version: str = Field(default="", pattern=r"^[0-9]*$")
    """The model's version; unset: the one that the server prefers. Results say which ran."""
    connect_seconds: float = Field(default=5.0, gt=0)
    """The longest wait for a connection, and for what the server says of itself."""
    call_seconds: float = Field(default=60.0, gt=0)
    """The longest wait for an answer of the model, once the call has begun."""
    concurrency: int = Field(default=4, ge=1, le=1024)
    """The most calls of the model at a time; more wait in a queue."""
    retry_seconds: float = Field(default=60.0, ge=0)
    """How long a call with a transient error is retried; 0 for no retries."""
    breaker_failures: int = Field(default=5, ge=1)
    """The failures in a row that open the circuit breaker: no more calls for a while."""
    breaker_pause_seconds: float = Field(default=15.0, gt=0)
    """How long the circuit breaker stays open; then one call probes the server."""
    probe_seconds: float = Field(default=5.0, gt=0)
    """How often the server is asked whether it is ready. While it is not, this service reports that
    it does not serve, and takes no units."""

    @field_validator("address")
    @classmethod
    def _names_a_port(cls, address: str) -> str:
        found = _ADDRESS.fullmatch(address)
        if address and (found is None or not 0 < int(found[2]) <= _MAX_PORT):
            raise ValueError("write HOST:PORT, such as triton.example.com:8001, without a scheme")
        return address

    @field_validator("token_header")
    @classmethod
    def _carries_text(cls, header: str) -> str:
        if header.endswith("-bin") or header.startswith("grpc-"):
            raise ValueError("headers of gRPC's own, and those that end with -bin, carry no token")
        return header

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("CERT_FILE and KEY_FILE belong together: set both or neither")
        if not self.tls and (self.ca_file or self.cert_file or self.server_name):
            raise ValueError("CA_FILE, CERT_FILE and SERVER_NAME are of TLS, which is off")
        if not self.tls and self.token_file:
            raise ValueError(
                "TOKEN_FILE needs TLS, since others could read the token on the way otherwise"
            )
        return self

    def variable(self, name: str) -> str:
        """The environment variable of a setting."""
        return f"{self.model_config.get('env_prefix', '')}{name}".upper()
