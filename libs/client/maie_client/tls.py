"""TLS between a client and a gateway."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from maie_client.errors import ClientError
from maie_client.reasons import ClientReason
from maie_tls.files import CertificateFiles, Loaded
from maie_tls.pem import CertificateError

SCHEME = "https://"
PROBE_SECONDS = 2.0
_DEFAULT_PORT = 443


@dataclass(kw_only=True, frozen=True, slots=True)
class Tls:
    """How to trust a gateway, and how to be trusted.

    Files that change are read again for the next call; calls that run go on.

    Attributes:
        ca_file: The certificates of the CAs to trust, as PEM; unset: the public CAs that gRPC
            knows.
        cert_file: A certificate of the client's own, where the server asks for one.
        key_file: Its key.
        server_name: The name in the server's certificate, where it is not the address's host.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""

    def files(self) -> CertificateFiles:
        """Reads the files.

        Raises:
            ClientError: FAILED_PRECONDITION with CERTIFICATE_INVALID.
        """
        try:
            return CertificateFiles(
                certificate=self.cert_file, key=self.key_file, authorities=self.ca_file
            )
        except CertificateError as error:
            raise ClientError(
                grpc.StatusCode.FAILED_PRECONDITION, ClientReason.CERTIFICATE_INVALID, str(error)
            ) from error


def credentials_of(loaded: Loaded) -> grpc.ChannelCredentials:
    """The credentials for a channel."""
    pair = loaded.pair
    return grpc.ssl_channel_credentials(
        loaded.authorities, pair.key if pair else None, pair.chain if pair else None
    )


def answers_with_tls(address: str) -> bool:
    """Whether a server takes TLS; asks it, which blocks for up to `PROBE_SECONDS`."""
    return presented_certificate(address) is not None


def presented_certificate(address: str) -> bytes | None:
    """The certificate that a server presents, as PEM; None where it takes no TLS or none answers.

    It is not verified, so that one that has expired is seen, too. Blocks for up to `PROBE_SECONDS`.
    """
    host, _, port = address.removeprefix(SCHEME).rpartition(":")
    context = ssl.create_default_context()
    # Nothing is sent, so the server need not be trusted.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        place = (host.strip("[]"), int(port) if port else _DEFAULT_PORT)
        with (
            socket.create_connection(place, PROBE_SECONDS) as connection,
            context.wrap_socket(connection) as secured,
        ):
            presented = secured.getpeercert(binary_form=True)
    except (OSError, ValueError, OverflowError):
        return None
    return ssl.DER_cert_to_PEM_cert(presented).encode() if presented else b""
