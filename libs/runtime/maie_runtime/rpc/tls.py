"""TLS between the parts of a mesh, and at a gateway's door."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import MeshSettings
from maie_tls.files import CertificateFiles, Loaded
from maie_tls.names import server_name_of
from maie_tls.pem import CertificateError

log = structlog.get_logger()

DAY_SECONDS = 24 * 3600.0
# From when on an approaching end is logged; short-lived ones are renewed in their last third.
WARN_SECONDS = 30 * DAY_SECONDS
WARN_SHARE = 1 / 3
LOOK_SECONDS = 3600.0


@dataclass(kw_only=True, frozen=True, slots=True)
class ServerTls:
    """How a server uses TLS.

    Attributes:
        files: Its certificate, and the CAs of its clients.
        clients: Whether a client needs a certificate of these CAs; without one there is no
            connection.
    """

    files: CertificateFiles
    clients: bool

    def credentials(self) -> grpc.ServerCredentials:
        """Credentials that take up other files at the next connection."""
        return grpc.dynamic_ssl_server_credentials(
            self._configuration(self.files.current()),
            _Changes(self).next,  # type: ignore[arg-type] # its stubs leave out None
            require_client_authentication=self.clients,
        )

    def _configuration(self, loaded: Loaded) -> grpc.ServerCertificateConfiguration:
        assert loaded.pair is not None
        return grpc.ssl_server_certificate_configuration(
            [(loaded.pair.key, loaded.pair.chain)], loaded.authorities if self.clients else None
        )


class _Changes:
    """What gRPC asks before each handshake, in a thread of its own."""

    def __init__(self, tls: ServerTls) -> None:
        self._tls = tls
        self._number = tls.files.current().number

    def next(self) -> grpc.ServerCertificateConfiguration | None:
        """The files' content where it is another one than before, or None."""
        loaded = self._tls.files.current()
        if loaded.number == self._number:
            return None
        self._number = loaded.number
        return self._tls._configuration(loaded)


def mesh_certificates(settings: MeshSettings) -> CertificateFiles | None:
    """The certificates between the parts of a mesh; None where there is no TLS.

    Raises:
        StageError: FAILED_PRECONDITION with CERTIFICATE_INVALID.
    """
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    return open_certificates(settings.tls_cert_file, settings.tls_key_file, settings.tls_ca_file)


def open_certificates(
    certificate: Path | None, key: Path | None, authorities: Path | None
) -> CertificateFiles:
    """Reads a server's certificates, or a caller's; logs each later change of the files.

    Raises:
        StageError: FAILED_PRECONDITION with CERTIFICATE_INVALID.
    """
    try:
        return CertificateFiles(
            certificate=certificate,
            key=key,
            authorities=authorities,
            loaded=lambda sentence: log.info("tls.loaded", detail=sentence),
            kept=lambda sentence: log.warning("tls.kept", detail=sentence),
        )
    except CertificateError as error:
        raise StageError(
            Code.FAILED_PRECONDITION, Reason.CERTIFICATE_INVALID, str(error)
        ) from error


def channel_credentials(loaded: Loaded) -> grpc.ChannelCredentials:
    """The credentials of a part that calls another one."""
    pair = loaded.pair
    return grpc.ssl_channel_credentials(
        loaded.authorities, pair.key if pair else None, pair.chain if pair else None
    )


def expects(part: str) -> tuple[tuple[str, str], ...]:
    """The options of a channel that trusts only one part of the mesh, wherever it is."""
    return (("grpc.ssl_target_name_override", server_name_of(part)),)


def observe_expiry(meter: Meter, files: Mapping[str, CertificateFiles]) -> None:
    """Makes the gauge of when certificates expire.

    Args:
        meter: Makes it.
        files: The certificates, by what they are for, such as "mesh".
    """

    def expiry(_: CallbackOptions) -> Iterator[Observation]:
        for purpose, each in files.items():
            if (expires := each.current().expires) is not None:
                yield Observation(expires.timestamp(), {"purpose": purpose})

    meter.create_observable_gauge(
        "maie.certificate.expiry",
        [expiry],
        unit="s",
        description="When the process's certificate, or the last of its CAs, expires, in seconds "
        "since 1970: `mesh` between parts, `door` of the gateway.",
    )


async def report_expiry(files: CertificateFiles) -> None:
    """Logs an approaching end of certificates, at once and then daily."""
    last = 0.0
    while True:
        loaded = files.current()
        left, now = loaded.seconds_left(), asyncio.get_running_loop().time()
        if left is not None and left < _warn_below(loaded):
            if not last or now - last >= DAY_SECONDS:
                last = now
                _warn(loaded, left)
        else:
            last = 0.0
        await asyncio.sleep(LOOK_SECONDS)


def _warn_below(loaded: Loaded) -> float:
    """The seconds left from which on an end is logged."""
    if loaded.pair is None:
        return WARN_SECONDS
    lifetime = (loaded.pair.not_after - loaded.pair.not_before).total_seconds()
    return min(WARN_SECONDS, lifetime * WARN_SHARE)


def _warn(loaded: Loaded, left: float) -> None:
    write = log.warning if left > 0 else log.error
    write(
        "tls.expires",
        expires=str(loaded.expires),
        days=int(left // DAY_SECONDS),
        remedy="Renew it with maie certs renew, or where it is from; no restart is needed.",
    )
