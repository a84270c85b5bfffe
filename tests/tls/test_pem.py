"""A damaged certificate is an error of its own kind, whatever of it is damaged."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from maie_tls.authority import make_authority
from maie_tls.pem import CertificateError, read_pair

pytestmark = pytest.mark.unit


def pem(der: bytes) -> bytes:
    """The bytes of a certificate in the lines of a file."""
    lines = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"


def test_a_certificate_with_any_wrong_byte_is_read_or_refused() -> None:
    issued = make_authority(timedelta(days=1))
    content = x509.load_pem_x509_certificate(issued.certificate).public_bytes(Encoding.DER)
    damaged = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0x41
        try:
            read_pair(pem(bytes(changed)), issued.key)
        except CertificateError:
            damaged += 1
    assert damaged > 10
