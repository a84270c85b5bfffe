"""Looks at when certificates and CAs expire: those that the environment names, and a folder's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from maie_cli.certs.folder import CA, CERTIFICATE
from maie_cli.doctor.expiry import CERTIFICATE_DAYS, expiry
from maie_cli.doctor.finding import Finding, Health, bad
from maie_cli.gateway import wants_tls
from maie_client.tls import PROBE_SECONDS, presented_certificate
from maie_tls.pem import CertificateError, read_certificates

CERTIFICATES = ("MAIE_TLS_CERT_FILE", "MAIE_GATEWAY_TLS_CERT_FILE", "MAIE_NATS_CERT_FILE")
AUTHORITIES = ("MAIE_TLS_CA_FILE", "MAIE_NATS_CA_FILE", "MAIE_CA_FILE")
RENEW = "renew it, as with: maie certs renew"
REPLACE_CA = "bring a new CA to every part first: docs/tls.md#renewal"


def named(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """The files that variables of the environment name."""
    for name in CERTIFICATES:
        if file := environment.get(name):
            yield _certificate(name, Path(file))
    for name in AUTHORITIES:
        if file := environment.get(name):
            yield _authority(name, Path(file))


def in_folder(folder: Path) -> Iterator[Finding]:
    """The CA and the certificates of all parts in a folder of `maie certs`."""
    yield _authority(f"CA of {folder}", folder / CA)
    for file in sorted(folder.glob(f"*/{CERTIFICATE}")):
        yield _certificate(f"certificate of {file.parent.name}", file)


async def presented(address: str) -> AsyncIterator[Finding]:
    """The certificate that a gateway shows to its clients; nothing without TLS.

    Args:
        address: Its address.
    """
    what = "gateway's certificate"
    if not wants_tls(address):
        return
    data = await asyncio.to_thread(presented_certificate, address)
    if data is None:
        # Whether that is a fault, what looks at the gateway says.
        detail = f"{address} did not show it within {PROBE_SECONDS:.0f} s"
        yield Finding(what=what, health=Health.ABSENT, detail=detail)
        return
    try:
        ends = read_certificates(data)[0].not_valid_after_utc
    except CertificateError as error:
        yield bad(what, str(error), RENEW)
        return
    yield expiry(what, f"the one of {address}", ends, days=CERTIFICATE_DAYS, mend=RENEW)


def _certificate(what: str, file: Path) -> Finding:
    # Of a chain, whichever expires first makes it useless.
    return _judged(what, file, min, RENEW)


def _authority(what: str, file: Path) -> Finding:
    # While a CA is replaced, the file holds the new one and the former.
    return _judged(what, file, max, REPLACE_CA)


def _judged(
    what: str, file: Path, which: Callable[[Iterable[datetime]], datetime], mend: str
) -> Finding:
    try:
        ends = which(each.not_valid_after_utc for each in read_certificates(file.read_bytes()))
    except (OSError, CertificateError) as error:
        return bad(what, _unreadable(file, error), "make one with: maie certs create")
    return expiry(what, str(file), ends, days=CERTIFICATE_DAYS, mend=mend)


def _unreadable(file: Path, error: OSError | CertificateError) -> str:
    reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
    return f"{file} cannot be used: {reason}"
