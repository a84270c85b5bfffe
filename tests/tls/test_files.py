"""Files of certificates are read again when they change, and never used when they do not fit."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from maie_tls.authority import make_authority
from maie_tls.files import CertificateFiles
from maie_tls.pem import CertificateError
from tests.certificates import DAY, TestCa, expired, not_yet_valid, replace

pytestmark = pytest.mark.unit


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """A CA."""
    return TestCa(folder=tmp_path)


def test_unchanged_files_are_loaded_once(ca: TestCa) -> None:
    files = ca.files("asr")
    assert files.current() is files.current()
    assert files.current().number == 1


def test_other_files_are_loaded(ca: TestCa) -> None:
    said: list[str] = []
    files = ca.files("asr", loaded=said.append)
    before = files.current()
    ca.write("asr", ca.issue("asr", lifetime=5 * DAY))
    after = files.current()
    assert after.number == before.number + 1
    assert before.expires is not None
    assert after.expires is not None
    assert after.expires - before.expires > 3 * DAY
    assert len(said) == 1
    assert "asr.crt" in said[0]


@pytest.mark.parametrize("first", ["certificate", "key"])
def test_half_a_pair_is_not_used(ca: TestCa, first: str) -> None:
    said: list[str] = []
    files = ca.files("asr", kept=said.append)
    before = files.current()
    new, paths = ca.issue("asr"), ca.paths("asr")
    content = {"certificate": new.certificate, "key": new.key}
    replace(paths[first], content[first])
    for _ in range(3):
        assert files.current() is before
    assert len(said) == 1, "one change, one line"
    assert "does not belong" in said[0]
    other = "key" if first == "certificate" else "certificate"
    replace(paths[other], content[other])
    assert files.current().number == before.number + 1


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nMIIB"])
def test_a_file_that_is_being_written_is_not_used(ca: TestCa, content: bytes) -> None:
    files = ca.files("asr")
    before, whole = files.current(), ca.paths("asr")["certificate"].read_bytes()
    ca.paths("asr")["certificate"].write_bytes(content)
    assert files.current() is before
    ca.paths("asr")["certificate"].write_bytes(whole)
    assert files.current().pair == before.pair


def test_files_may_be_away_for_a_while(ca: TestCa) -> None:
    said: list[str] = []
    files = ca.files("asr", kept=said.append)
    before = files.current()
    ca.paths("asr")["key"].unlink()
    assert files.current() is files.current() is before
    assert len(said) == 1
    ca.write("asr", ca.issue("asr"))
    assert files.current().number == 2


def test_other_cas_are_loaded(ca: TestCa) -> None:
    files = ca.files("asr")
    both = make_authority(DAY).certificate + ca.ca_file.read_bytes()
    replace(ca.ca_file, both)
    assert files.current().authorities == both


def test_an_expired_certificate_never_replaces_one(ca: TestCa) -> None:
    files = ca.files("asr")
    before = files.current()
    ca.write("asr", expired(ca, "asr"))
    assert files.current() is before


@pytest.mark.parametrize(("make", "words"), [(expired, "expired"), (not_yet_valid, "not valid")])
def test_a_certificate_that_is_not_valid_now_is_refused(ca: TestCa, make, words: str) -> None:
    ca.write("asr", make(ca, "asr"))
    with pytest.raises(CertificateError, match=words):
        ca.files("asr")


def test_the_error_names_the_file_and_never_shows_the_key(ca: TestCa) -> None:
    key = ca.issue("asr").key
    ca.write("asr", ca.issue("asr"))
    ca.paths("asr")["key"].write_bytes(key)
    with pytest.raises(CertificateError) as caught:
        ca.files("asr")
    assert "asr.key" in str(caught.value)
    assert key.decode().splitlines()[1] not in str(caught.value)
    with pytest.raises(CertificateError, match="No such file"):
        CertificateFiles(authorities=ca.folder / "none.crt")


def test_the_time_left_is_that_of_what_expires_first(tmp_path: Path) -> None:
    ca = TestCa(folder=tmp_path, made=make_authority(timedelta(hours=3)))
    ca.write("asr", ca.issue("asr", lifetime=timedelta(days=30)))
    left = ca.files("asr").current().seconds_left()
    assert left is not None
    assert 0 < left <= 3 * 3600, "a certificate never outlives its CA"


def test_the_key_is_in_no_repr(ca: TestCa) -> None:
    issued = ca.issue("asr")
    ca.write("asr", issued)
    secret = issued.key.decode().splitlines()[1]
    assert secret not in repr(issued) + repr(ca.files("asr").current())


def test_many_threads_see_whole_pairs_only(ca: TestCa) -> None:
    files = ca.files("asr")
    pairs = {(issued := ca.issue("asr")).certificate: issued.key for _ in range(10)}
    pairs[ca.paths("asr")["certificate"].read_bytes()] = ca.paths("asr")["key"].read_bytes()
    wrong, done = [], threading.Event()

    def look() -> None:
        while not done.is_set():
            pair = files.current().pair
            if pair is None or pairs.get(pair.chain) != pair.key:
                wrong.append(pair)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for certificate, key in pairs.items():
        replace(ca.paths("asr")["certificate"], certificate)
        replace(ca.paths("asr")["key"], key)
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
