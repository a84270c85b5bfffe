"""The gateway's door: TLS for those who come from outside."""

from __future__ import annotations

from opentelemetry.metrics import Meter

from maie_gateway.settings import GatewaySettings
from maie_runtime.rpc.exposure import check_exposure
from maie_runtime.rpc.tls import ServerTls, observe_expiry, open_certificates
from maie_tls.files import CertificateFiles

REMEDY = (
    "make certificates (maie certs create) and name one in MAIE_GATEWAY_TLS_CERT_FILE and "
    "MAIE_GATEWAY_TLS_KEY_FILE, set MAIE_GATEWAY_PLAINTEXT=behind-a-proxy where a proxy takes TLS"
)


def door_tls(settings: GatewaySettings, mesh: CertificateFiles | None) -> ServerTls | None:
    """TLS of the gateway's own port; clients need no certificate, but credentials.

    Args:
        settings: The gateway's settings.
        mesh: The certificates between parts, which serve here where no others are named.

    Raises:
        StageError: FAILED_PRECONDITION: other machines reach the port, and there is no TLS; or
            the certificate cannot be used.
    """
    if settings.plaintext:
        return None
    files = mesh
    if settings.tls_cert_file is not None and settings.tls_key_file is not None:
        files = open_certificates(settings.tls_cert_file, settings.tls_key_file, None)
    check_exposure(settings.listen, has_tls=files is not None, remedy=REMEDY)
    return ServerTls(files=files, clients=False) if files else None


def observe_door(meter: Meter, tls: ServerTls | None, mesh: CertificateFiles | None) -> None:
    """Makes the gauge of when a gateway's certificates expire."""
    files = {"mesh": mesh, "door": tls.files if tls else None}
    observe_expiry(meter, {purpose: each for purpose, each in files.items() if each is not None})


def expiring(tls: ServerTls | None, mesh: CertificateFiles | None) -> set[CertificateFiles]:
    """The certificates of a gateway whose end is to be noticed."""
    return {files for files in (tls.files if tls else None, mesh) if files is not None}
