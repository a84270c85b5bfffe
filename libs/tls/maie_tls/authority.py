"""A private CA: makes certificates for the parts of a mesh."""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from maie_tls.names import OPERATOR, PROVISION, server_name_of, uri_of
from maie_tls.pem import CertificateError, read_certificates, read_pair

_HOST = re.compile(r"(\*\.)?([a-z0-9_-]{1,63}\.)*[a-z0-9-]{1,63}", re.IGNORECASE)
# Clocks of machines differ.
_SKEW = timedelta(minutes=5)
# They never answer anybody, so their certificates cannot pretend to.
_CALLERS_ONLY = frozenset({OPERATOR, PROVISION})


@dataclass(kw_only=True, frozen=True, slots=True)
class Issued:
    """A new certificate and its key, as PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


class Authority:
    """A CA that can sign.

    Args:
        bundle: The CA's certificate, perhaps among those of earlier CAs, as PEM.
        key: Its private key, as PEM.

    Attributes:
        certificate: The CA's certificate.

    Raises:
        CertificateError: The key is of none of the certificates, or one cannot be read.
    """

    def __init__(self, bundle: bytes, key: bytes) -> None:
        self.certificate = _own(bundle, key)
        self._key = load_pem_private_key(key, password=None)

    def issue(self, part: str, names: Iterable[str], lifetime: timedelta) -> Issued:
        """Makes a certificate for a part of the mesh.

        It never outlives the CA.

        Args:
            part: The part, such as "asr".
            names: DNS names and IP addresses that it also answers at.
            lifetime: How long it is valid from now.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        end = min(datetime.now(UTC) + lifetime, self.certificate.not_valid_after_utc)
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if part not in _CALLERS_ONLY:
            usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = (
            _begin(f"maie {part}", key.public_key(), end)
            .issuer_name(self.certificate.subject)
            .add_extension(_alternatives(part, names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    self.certificate.public_key()  # type: ignore[arg-type] # _own read it
                ),
                critical=False,
            )
        )
        # The kind of key is the user's, where the CA is.
        return _sign(builder, key, self._key)


def make_authority(lifetime: timedelta) -> Issued:
    """Makes a CA whose certificates sign no further CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Another name for each CA: a program that checks a certificate finds its CA by that.
    name = f"maie mesh CA {secrets.token_hex(4)}"
    builder = (
        _begin(name, key.public_key(), datetime.now(UTC) + lifetime)
        .issuer_name(_named(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return _sign(builder, key, key)


def is_issued_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    """Whether a CA signed a certificate."""
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def names_in(certificate: x509.Certificate, part: str) -> list[str]:
    """The DNS names and IP addresses of a certificate, without the one of its part."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns: Collection[str] = names.get_values_for_type(x509.DNSName)
    addresses = names.get_values_for_type(x509.IPAddress)
    return [name for name in (*dns, *map(str, addresses)) if name != server_name_of(part)]


def _own(bundle: bytes, key: bytes) -> x509.Certificate:
    """The certificate of a bundle that a key belongs to."""
    for certificate in read_certificates(bundle):
        try:
            read_pair(certificate.public_bytes(Encoding.PEM), key)
        except CertificateError:
            continue
        return certificate
    raise CertificateError("The CA's key belongs to none of the CA's certificates.")


def _begin(name: str, key: ec.EllipticCurvePublicKey, end: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - _SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _sign(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, by: object) -> Issued:
    signed = builder.sign(by, hashes.SHA256())  # type: ignore[arg-type] # see Authority
    return Issued(
        certificate=signed.public_bytes(Encoding.PEM),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _alternatives(part: str, names: Iterable[str]) -> x509.SubjectAlternativeName:
    found: list[x509.GeneralName] = [
        x509.UniformResourceIdentifier(uri_of(part)),
        x509.DNSName(server_name_of(part)),
    ]
    return x509.SubjectAlternativeName(found + [_general(name) for name in dict.fromkeys(names)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    if not _HOST.fullmatch(name):
        raise CertificateError(f"{name!r} is neither a DNS name nor an IP address.")
    return x509.DNSName(name)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
