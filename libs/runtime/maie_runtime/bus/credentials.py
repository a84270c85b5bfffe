"""How a part proves to NATS that it is itself, and NATS to the part."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import MeshSettings
from maie_runtime.bus.seeds import public_key, secret_of
from maie_runtime.bus.tls_context import TlsContext


@dataclass(kw_only=True, frozen=True, slots=True)
class Credentials:
    """The files of a part's credentials for NATS. None where NATS asks for no such thing.

    Attributes:
        nkey: The seed of its nkey.
        ca: The CA of the server's certificate. Where it is set, the connection must be TLS.
        certificate: The part's own certificate for TLS.
        key: The private key of that.
    """

    nkey: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def token(self) -> str:
        """A text that all processes of a part have, and no other part can know; empty without nkey.

        Raises:
            StageError: As `options`.
        """
        return secret_of(self.nkey, "ids of messages") if self.nkey is not None else ""

    def options(self) -> dict[str, Any]:
        """The options of a ReportingClient's connection.

        Raises:
            StageError: FAILED_PRECONDITION with BROKER_CREDENTIALS_INVALID: a file cannot be used.
        """
        made: dict[str, Any] = {}
        if self.nkey is not None:
            public_key(self.nkey)
            made["nkeys_seed"] = str(self.nkey)
        if self.ca is not None or self.certificate is not None:
            made["tls"] = TlsContext(self._tls, [each for each in self._files() if each])
        return made

    def _files(self) -> tuple[Path | None, ...]:
        return self.ca, self.certificate, self.key

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(file) for file in self._files() if file)
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.BROKER_CREDENTIALS_INVALID,
                f"The certificates for NATS cannot be used ({error.strerror or error}); check "
                f"{files}, named by MAIE_NATS_CA_FILE, _CERT_FILE and _KEY_FILE.",
            ) from error
        return context


NO_CREDENTIALS = Credentials()
UNPROTECTED = (
    "Job records, live text and webhook secrets cross the network in the clear. Give NATS a "
    "certificate (docs/nats.md), set MAIE_NATS_CA_FILE, and write tls:// in MAIE_NATS_URL."
)


def unprotected(servers: Iterable[str], credentials: Credentials) -> list[str]:
    """The servers on other machines with which a connection would not be TLS."""
    if credentials.ca is not None or credentials.certificate is not None:
        return []
    return [each for each in servers if not each.startswith("tls://") and not _is_here(each)]


def _is_here(server: str) -> bool:
    """Whether a server is on this machine."""
    host = urlsplit(server if "//" in server else f"//{server}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def credentials_of(mesh: MeshSettings) -> Credentials:
    """The credentials that a part's settings name."""
    return Credentials(
        nkey=mesh.nats_nkey_file,
        ca=mesh.nats_ca_file,
        certificate=mesh.nats_cert_file,
        key=mesh.nats_key_file,
    )
