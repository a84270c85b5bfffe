"""What doctor says of certificates, CAs and API keys that expire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from maie_cli.doctor import certificates
from maie_cli.doctor.expiry import CERTIFICATE_DAYS, KEY_DAYS, expiry
from maie_cli.doctor.finding import Finding, Health
from maie_cli.doctor.keys import keys
from maie_client import Client
from maie_core.api_keys import parse_key
from maie_tls.authority import make_authority
from tests.certificates import DAY, TestCa, expired, replace
from tests.cli.command import maie_at, run

pytestmark = pytest.mark.mesh


def health(findings: list[Finding]) -> dict[str, Health]:
    return {finding.what: finding.health for finding in findings}


def test_certificates_and_cas_that_the_environment_names(tmp_path: Path) -> None:
    long = timedelta(days=CERTIFICATE_DAYS + 1)
    lasting = TestCa(folder=tmp_path / "lasting", made=make_authority(2 * long))
    ending = TestCa(folder=tmp_path / "ending")
    lasting.write("gateway", lasting.issue("gateway", lifetime=long))
    lasting.write("asr", lasting.issue("asr", lifetime=DAY))
    lasting.write("nats", expired(lasting, "nats"))
    found = list(
        certificates.named(
            {
                "MAIE_TLS_CERT_FILE": str(lasting.folder / "asr.crt"),
                "MAIE_GATEWAY_TLS_CERT_FILE": str(lasting.folder / "gateway.crt"),
                "MAIE_NATS_CERT_FILE": str(lasting.folder / "nats.crt"),
                "MAIE_TLS_CA_FILE": str(lasting.ca_file),
                "MAIE_NATS_CA_FILE": str(ending.ca_file),
                "MAIE_CA_FILE": str(tmp_path / "absent"),
            }
        )
    )
    assert health(found) == {
        "MAIE_TLS_CERT_FILE": Health.SOON,
        "MAIE_GATEWAY_TLS_CERT_FILE": Health.OK,
        "MAIE_NATS_CERT_FILE": Health.NOT_OK,
        "MAIE_TLS_CA_FILE": Health.OK,
        "MAIE_NATS_CA_FILE": Health.SOON,
        "MAIE_CA_FILE": Health.NOT_OK,
    }
    details = {finding.what: finding.detail for finding in found}
    assert "expired on 20" in details["MAIE_NATS_CERT_FILE"]
    assert f"in {CERTIFICATE_DAYS} days" in details["MAIE_GATEWAY_TLS_CERT_FILE"]
    assert all(finding.mend for finding in found if finding.health is not Health.OK)


def test_a_ca_that_was_replaced_counts_as_the_new_one(tmp_path: Path) -> None:
    former = TestCa(folder=tmp_path / "former")
    new = make_authority(timedelta(days=CERTIFICATE_DAYS + 1))
    replace(former.ca_file, new.certificate + former.made.certificate)
    (finding,) = certificates.named({"MAIE_TLS_CA_FILE": str(former.ca_file)})
    assert finding.health is Health.OK


def test_the_folder_of_certs_is_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    parts = ("--part", "gateway", "--part", "asr")
    made = run("certs", "create", "--folder", folder, *parts, environment={})
    assert made.code == 0, made.errors
    expect = {f"CA of {folder}": Health.OK}
    certificate = {f"certificate of {part}": Health.OK for part in ("asr", "gateway")}
    assert health(list(certificates.in_folder(folder))) == expect | certificate


async def test_the_gateway_presents_its_certificate_even_once_it_has_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = TestCa(folder=tmp_path / "ca")
    monkeypatch.setenv("MAIE_CA_FILE", str(ca.ca_file))
    for issued, state in (
        (ca.issue("gateway", lifetime=DAY), Health.SOON),
        (expired(ca, "gateway"), Health.NOT_OK),
    ):
        async with serving(issued.key, issued.certificate) as address:
            found = [each async for each in certificates.presented(address)]
        assert health(found) == {"gateway's certificate": state}


@pytest.mark.parametrize(
    ("left", "state", "said"),
    [
        (timedelta(days=8), Health.OK, "expires on 20"),
        (timedelta(days=6, hours=1), Health.SOON, "in 6 days"),
        (timedelta(hours=30, minutes=1), Health.SOON, "in 30 hours"),
        (timedelta(seconds=-1), Health.NOT_OK, "expired on 20"),
    ],
)
def test_what_ends_soon_is_a_warning_and_what_has_ended_is_a_fault(
    left: timedelta, state: Health, said: str
) -> None:
    ends = datetime.now(UTC) + left
    found = expiry("key", "k1", ends, days=7, mend="make another")
    assert found.health is state
    assert said in found.detail
    assert found.mend == ("" if state is Health.OK else "make another")


async def test_the_command_fails_for_what_has_expired_alone(tmp_path: Path) -> None:
    ca = TestCa(folder=tmp_path / "ca")
    lines = {}
    for name, issued in (("soon", ca.issue("asr")), ("gone", expired(ca, "asr"))):
        ca.write(name, issued)
        environment = {"MAIE_NATS_CERT_FILE": str(ca.folder / f"{name}.crt")}
        ended = await maie_at(
            "", "doctor", "--no-measure", "--data", tmp_path, environment=environment
        )
        (lines[name],) = [line for line in ended.output.splitlines() if "NATS_CERT" in line]
        assert (ended.code == 1) is ("not ok" in ended.output)
    assert lines["soon"].startswith("soon    MAIE_NATS_CERT_FILE: ")
    assert lines["gone"].startswith("not ok  MAIE_NATS_CERT_FILE: ")
    assert "maie certs renew" in lines["gone"]


async def test_keys_that_expire_are_said_and_revoked_ones_are_not(gateway: str) -> None:
    async with Client(gateway) as client:
        (none,) = [each async for each in keys(client)]
        assert (none.health, none.detail) == (Health.OK, "there are none")
        scopes = ("--scope", "read")
        ids = {}
        for name, days in (("ever", None), ("late", KEY_DAYS + 1), ("soon", 1), ("gone", 0.001)):
            lasting = () if days is None else ("--days", str(days))
            made = await maie_at(gateway, "keys", "create", *scopes, "--name", name, *lasting)
            key = parse_key(made.output.strip())
            assert key
            ids[name] = key.key_id
            if name == "ever":
                (found,) = [each async for each in keys(client)]
                assert found.detail == "none of 1 expires"
            if name == "late":
                (found,) = [each async for each in keys(client)]
                assert (found.health, ids[name] in found.detail) == (Health.OK, True)
        await client.keys.revoke(ids["gone"])
        (found,) = [each async for each in keys(client)]
        assert found.health is Health.SOON
        assert ids["soon"] in found.detail
        assert f"maie keys revoke {ids['soon']}" in found.mend


@asynccontextmanager
async def serving(key: bytes, certificate: bytes) -> AsyncIterator[str]:
    """A gRPC server with a certificate, however old."""
    server = grpc.aio.server()
    credentials = grpc.ssl_server_credentials([(key, certificate)])
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)
