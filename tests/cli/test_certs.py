"""`maie certs`: what it makes is accepted, hidden from others, and renewed in time."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from maie_tls.files import CertificateFiles
from maie_tls.pem import read_certificates
from tests.cli.command import Ended, run

pytestmark = pytest.mark.mesh

PARTS = [
    *(
        "alignment",
        "asr",
        "diarization",
        "enhancement",
        "gateway",
        "nats",
        "operator",
        "preprocess",
    ),
    *("provision", "quality", "summary", "synthesis", "web"),
]
PRIVATE = "PRIVATE KEY"


def certs(folder: Path, command: str, *arguments: object) -> Ended:
    """Runs `maie certs`; no key is in its output."""
    ended = run("certs", command, "--folder", folder, *arguments, environment={})
    assert PRIVATE not in ended.output + ended.errors
    return ended


def listed(folder: Path) -> dict[str, dict[str, object]]:
    code, output, errors = certs(folder, "list", "--json")
    assert (code, errors) == (0, "")
    return {found["part"]: found for found in map(json.loads, output.splitlines())}


def accepted(folder: Path, part: str, name: str) -> bool:
    """Whether somebody who trusts the folder's ca.crt accepts the part under a name."""
    store = Store(read_certificates((folder / part / "ca.crt").read_bytes()))
    verifier = PolicyBuilder().store(store).build_server_verifier(x509.DNSName(name))
    own = read_certificates((folder / part / "tls.crt").read_bytes())[0]
    try:
        verifier.verify(own, [])
    except x509.verification.VerificationError:
        return False
    return True


def test_each_part_gets_a_folder_with_all_that_it_needs(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    names = ("--name", "gateway=maie.example.com", "--name", "asr=10.0.0.3")
    assert certs(folder, "create", *names).code == 0
    assert sorted(listed(folder)) == PARTS
    for part in PARTS:
        own = folder / part
        files = CertificateFiles(
            certificate=own / "tls.crt", key=own / "tls.key", authorities=own / "ca.crt"
        )
        pair = files.current().pair
        assert pair is not None
        assert pair.part == part
    assert accepted(folder, "gateway", "maie.example.com")
    assert accepted(folder, "gateway", "localhost")
    assert not accepted(folder, "gateway", "other.example.com")
    assert accepted(folder, "asr", "asr.maie.internal")
    assert not accepted(folder, "operator", "operator.maie.internal")
    assert listed(folder)["asr"]["names"] == ["10.0.0.3"]


def test_keys_are_their_owners_only(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    certs(folder, "create")
    keys = [path for path in folder.rglob("*") if path.is_file() and PRIVATE in path.read_text()]
    assert len(keys) == len(PARTS) + 1
    for key in keys:
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700


def test_what_is_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    certs(folder, "create", "--part", "asr")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    code, output, _ = certs(folder, "create", "--part", "asr", "--part", "summary")
    assert code == 0
    assert "asr has one already" in output
    assert all(path.read_bytes() == content for path, content in before.items())
    assert sorted(listed(folder)) == ["asr", "summary"]


def test_those_that_expire_soon_are_renewed_with_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    certs(folder, "create", "--part", "asr", "--name", "asr=asr.lan", "--days", 20)
    certs(folder, "create", "--part", "summary", "--days", 40)
    before, key = listed(folder), (folder / "asr" / "tls.key").read_bytes()
    code, output, _ = certs(folder, "renew")
    assert code == 0
    after = listed(folder)
    assert "made asr for asr.lan" in output
    assert after["asr"]["names"] == ["asr.lan"]
    assert str(after["asr"]["expires"]) > str(before["asr"]["expires"])
    assert (folder / "asr" / "tls.key").read_bytes() != key
    assert after["summary"] == before["summary"]
    assert "none expires within 30 days" in certs(folder, "renew").output
    assert certs(folder, "renew", "--all").output.count("made ") == 2


def test_another_ca_is_trusted_before_it_signs(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    certs(folder, "create", "--part", "asr")
    former = (folder / "ca.crt").read_bytes()
    assert certs(folder, "renew", "--ca").code == 0
    # Every part trusts both; none has a certificate of the new one yet.
    assert len(read_certificates((folder / "asr" / "ca.crt").read_bytes())) == 2
    assert (folder / "asr" / "ca.crt").read_bytes().endswith(former)
    assert accepted(folder, "asr", "asr.maie.internal")
    assert "made asr" in certs(folder, "renew").output
    assert accepted(folder, "asr", "asr.maie.internal")
    new = read_certificates((folder / "ca.crt").read_bytes())[0]
    own = read_certificates((folder / "asr" / "tls.crt").read_bytes())[0]
    own.verify_directly_issued_by(new)


def test_the_key_of_the_ca_may_be_elsewhere(tmp_path: Path) -> None:
    folder, key = tmp_path / "certs", tmp_path / "safe.key"
    assert certs(folder, "create", "--part", "asr", "--ca-key", key).code == 0
    assert not (folder / "ca.key").exists()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    code, _, errors = certs(folder, "renew", "--all")
    assert (code, errors.count("\n")) == (1, 1)
    assert "--ca-key FILE" in errors
    assert certs(folder, "renew", "--all", "--ca-key", key).code == 0
    other = tmp_path / "other"
    certs(other, "create", "--part", "asr")
    code, _, errors = certs(folder, "renew", "--all", "--ca-key", other / "ca.key")
    assert (code, errors.count("\n")) == (1, 1)
    assert "belongs to none" in errors


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--name", "asr"),
        ("create", "--name", "elsewhere=a"),
        ("create", "--part", "../up"),
        ("create", "--name", "asr=no name"),
        ("list",),
        ("renew",),
    ],
)
def test_what_cannot_be_is_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, output, errors = certs(tmp_path / "certs", *arguments)
    assert code in (1, 2)
    assert "Traceback" not in output + errors
    assert errors
