"""What a mesh's own CA makes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from maie_tls.authority import Authority, make_authority, names_in
from maie_tls.names import part_of
from maie_tls.pem import CertificateError, read_certificates, read_pair, uris_of

pytestmark = pytest.mark.unit

YEAR = timedelta(days=365)


def parsed(pem: bytes) -> x509.Certificate:
    return read_certificates(pem)[0]


def test_a_certificate_names_its_part_and_its_addresses() -> None:
    made = make_authority(YEAR)
    issued = Authority(made.certificate, made.key).issue("asr", ["asr.lan", "10.0.0.7"], YEAR)
    certificate = parsed(issued.certificate)
    assert uris_of(certificate) == ["spiffe://maie/asr"]
    assert names_in(certificate, "asr") == ["asr.lan", "10.0.0.7"]
    assert read_pair(issued.certificate, issued.key).part == "asr"
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"


def test_an_independent_verifier_accepts_the_chain() -> None:
    made = make_authority(YEAR)
    issued = Authority(made.certificate, made.key).issue("asr", [], YEAR)
    store = Store([parsed(made.certificate)])
    server = PolicyBuilder().store(store).build_server_verifier(x509.DNSName("asr.maie.internal"))
    assert server.verify(parsed(issued.certificate), [])
    client = PolicyBuilder().store(store).build_client_verifier()
    assert client.verify(parsed(issued.certificate), [])


@pytest.mark.parametrize("part", ["operator", "provision"])
def test_those_who_only_call_cannot_answer(part: str) -> None:
    made = make_authority(YEAR)
    issued = Authority(made.certificate, made.key).issue(part, [], YEAR)
    usages = parsed(issued.certificate).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(usages.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_a_certificate_never_outlives_the_ca() -> None:
    made = make_authority(timedelta(days=1))
    issued = Authority(made.certificate, made.key).issue("asr", [], YEAR)
    end = parsed(issued.certificate).not_valid_after_utc
    assert end == parsed(made.certificate).not_valid_after_utc


def test_the_ca_is_found_among_earlier_ones() -> None:
    old, new = make_authority(YEAR), make_authority(YEAR)
    for made in (old, new):
        authority = Authority(new.certificate + old.certificate, made.key)
        assert authority.certificate == parsed(made.certificate)
    with pytest.raises(CertificateError, match="none of the CA's"):
        Authority(old.certificate, new.key)


@pytest.mark.parametrize("name", ["café.example", ""])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    made = make_authority(YEAR)
    with pytest.raises(CertificateError, match="neither a DNS name"):
        Authority(made.certificate, made.key).issue("asr", [name], YEAR)


@pytest.mark.parametrize(
    ("uris", "part"),
    [
        (["spiffe://maie/asr"], "asr"),
        (["spiffe://maie/asr", "spiffe://other/gateway"], "asr"),
        (["spiffe://maie/asr", "spiffe://maie/gateway"], ""),
        (["spiffe://maie/gateway/asr"], ""),
        (["spiffe://maiex/gateway"], ""),
        (["https://maie/gateway"], ""),
        (["spiffe://maie/"], ""),
        ([], ""),
    ],
)
def test_only_one_clear_name_is_a_part(uris: list[str], part: str) -> None:
    assert part_of(uris) == part
