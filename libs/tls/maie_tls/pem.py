"""Certificates and keys as they are in files, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from maie_tls.names import part_of

# What the library raises of damaged certificates, some of it only when it is asked what is inside.
_DAMAGE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class CertificateError(ValueError):
    """A certificate or key cannot be used; the message says which and why, in one sentence."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Pair:
    """A certificate and its private key.

    Attributes:
        chain: The certificate and those between it and the CA, as PEM.
        key: The private key, as PEM.
        not_before: Since when it is valid.
        not_after: Until when it is valid.
        part: The part of a mesh that it names; empty for none.
    """

    chain: bytes
    key: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime
    part: str

    def check_dates(self) -> None:
        """Raises CertificateError unless it is valid now."""
        now = datetime.now(UTC)
        if now > self.not_after:
            raise CertificateError(
                f"The certificate expired on {self.not_after:%Y-%m-%d %H:%M} UTC."
            )
        if now < self.not_before:
            raise CertificateError(
                f"The certificate is not valid before {self.not_before:%Y-%m-%d %H:%M} UTC; is the "
                "clock right?"
            )


def read_pair(chain: bytes, key: bytes) -> Pair:
    """Parses a certificate and its key.

    Raises:
        CertificateError: One is no PEM or damaged, or they do not belong together.
    """
    own, public = read_certificates(chain)[0], _public_key(key)
    try:
        belongs = _spki(own.public_key()) == _spki(public)
        pair = Pair(
            chain=chain,
            key=key,
            not_before=own.not_valid_before_utc,
            not_after=own.not_valid_after_utc,
            part=part_of(uris_of(own)),
        )
    except _DAMAGE as error:
        raise CertificateError("The certificate is damaged, or its key of another kind.") from error
    if not belongs:
        raise CertificateError("The key does not belong to the certificate.")
    return pair


def read_certificates(data: bytes) -> list[x509.Certificate]:
    """Parses one or more certificates.

    Raises:
        CertificateError: There is none, or one is damaged.
    """
    try:
        return x509.load_pem_x509_certificates(data)
    except _DAMAGE as error:
        raise CertificateError("The file of certificates holds none, or a damaged one.") from error


def uris_of(certificate: x509.Certificate) -> list[str]:
    """The URIs among a certificate's subject alternative names.

    Raises:
        CertificateError: They cannot be read.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    except _DAMAGE as error:
        raise CertificateError("The names of the certificate are damaged.") from error
    return names.value.get_values_for_type(x509.UniformResourceIdentifier)


def _public_key(key: bytes) -> PublicKeyTypes:
    try:
        return load_pem_private_key(key, password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The library's own words could quote the file.
        raise CertificateError("The key file holds no private key without a password.") from error


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
