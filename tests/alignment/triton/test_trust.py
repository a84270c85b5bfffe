"""Whom the engine `triton` trusts, and who it says that it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from maie_alignment.engines.triton.engine import create
from maie_alignment.settings import AlignmentSettings, TritonSettings
from maie_core.errors import StageError
from maie_core.reasons import Reason
from tests.alignment.engine_cases import as_tones
from tests.alignment.kserve_server import MODEL, KserveServer, serving, tls_of
from tests.alignment.triton.opening import (
    NO_RETRIES,
    SECRET,
    TRIES,
    WORDS,
    failure,
    opened,
    refusal,
    settings,
)
from tests.certificates import TestCa, expired, not_yet_valid, replace
from tests.waiting import until

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("header", "expected"),
    [("authorization", f"Bearer {SECRET}"), ("triton-grpc-protocol-key", SECRET)],
)
async def test_a_token_is_read_for_each_call(
    server: KserveServer, ca: TestCa, tmp_path: Path, header: str, expected: str
) -> None:
    token = tmp_path / "token"
    token.write_text(f"{SECRET}\n")
    with capture_logs() as logged:
        async with opened(server, ca, token_file=token, token_header=header) as engine:
            await engine.align(*as_tones())
            assert server.headers[header] == expected
            token.write_text("another")
            await engine.align(*as_tones())
            assert server.headers[header] == expected.replace(SECRET, "another")
            assert SECRET not in repr(engine.version) + engine.description
            token.unlink()
            error = await failure(engine)
    assert error.reason == Reason.MODEL_ACCESS_DENIED
    assert "MAIE_ALIGNMENT_TRITON_TOKEN_FILE" in error.message
    assert SECRET not in repr(logged)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"two\nlines", b"a" * 70_000])
async def test_what_is_no_token_is_refused_and_not_repeated(
    server: KserveServer, ca: TestCa, tmp_path: Path, content: bytes
) -> None:
    token = tmp_path / "token"
    token.write_bytes(content)
    error = await refusal(server, ca, token_file=token)
    assert error.reason == Reason.MODEL_ACCESS_DENIED
    assert "holds no token" in error.message
    assert not server.calls


async def test_a_server_that_asks_for_a_certificate_gets_it(
    server: KserveServer, ca: TestCa
) -> None:
    ca.files("alignment")
    own = ca.paths("alignment")
    async with serving(server, tls_of(ca, clients=True)) as address:
        async with create(
            settings(address, server.folder, ca, cert_file=own["certificate"], key_file=own["key"])
        ) as engine:
            assert len(await engine.align(*as_tones())) == len(WORDS)
        with pytest.raises(StageError) as refused:
            async with create(settings(address, server.folder, ca)):
                pass
    assert refused.value.reason == Reason.MODEL_UNAVAILABLE
    assert "MAIE_ALIGNMENT_TRITON_CERT_FILE" in refused.value.message


async def test_a_renewed_ca_is_taken_up_and_running_calls_go_on(
    server: KserveServer, ca: TestCa, tmp_path: Path
) -> None:
    release = asyncio.Event()

    async def wait(_: Any) -> None:
        await release.wait()

    other = TestCa(folder=tmp_path / "other")
    async with opened(server, ca, **NO_RETRIES) as engine:
        server.before = wait
        running = asyncio.create_task(engine.align(*as_tones()))
        await until(lambda: server.running)
        replace(ca.ca_file, other.ca_file.read_bytes())
        assert "does not trust" in (await failure(engine)).message
        replace(ca.ca_file, ca.made.certificate + other.ca_file.read_bytes())
        release.set()
        assert len(await engine.align(*as_tones())) == len(WORDS)
        assert len(await running) == len(WORDS)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda ca: TestCa(folder=ca.folder / "other").issue("server"), "does not trust"),
        (lambda ca: expired(ca, "server"), "has expired"),
        (lambda ca: not_yet_valid(ca, "server"), "is not yet valid"),
        (lambda ca: ca.issue("server", ["triton.example.com"]), "is for another name"),
    ],
)
async def test_a_certificate_that_cannot_be_trusted_is_one_sentence(
    server: KserveServer, ca: TestCa, make: Callable[[TestCa], Any], words: str
) -> None:
    issued = make(ca)
    credentials = grpc.ssl_server_credentials([(issued.key, issued.certificate)])
    async with serving(server, credentials) as address:
        with pytest.raises(StageError) as refused:
            async with create(settings(address, server.folder, ca, **TRIES)):
                pass
    error = refused.value
    assert (error.code.name, error.reason) == ("UNAVAILABLE", "MODEL_UNAVAILABLE")
    assert words in error.message
    assert address in error.message
    assert not server.calls


async def test_a_name_of_the_certificate_may_be_given(server: KserveServer, ca: TestCa) -> None:
    issued = ca.issue("server", ["triton.example.com"])
    credentials = grpc.ssl_server_credentials([(issued.key, issued.certificate)])
    async with serving(server, credentials) as address:
        own = settings(address, server.folder, ca, server_name="triton.example.com")
        async with create(own) as engine:
            assert len(await engine.align(*as_tones())) == len(WORDS)


async def test_a_server_without_tls_needs_a_setting(server: KserveServer, ca: TestCa) -> None:
    async with serving(server, None) as address:
        with pytest.raises(StageError, match="MAIE_ALIGNMENT_TRITON_TLS=false"):
            async with create(settings(address, server.folder, ca)):
                pass
        async with create(settings(address, server.folder, None, tls=False)) as engine:
            assert len(await engine.align(*as_tones())) == len(WORDS)


async def test_a_server_with_tls_says_that_it_is_needed(server: KserveServer, ca: TestCa) -> None:
    async with serving(server, tls_of(ca)) as address:
        with pytest.raises(StageError, match="want TLS") as refused:
            async with create(settings(address, server.folder, None, tls=False)):
                pass
    assert refused.value.reason == Reason.MODEL_UNAVAILABLE


async def test_files_of_certificates_that_cannot_be_used_are_named(folder: Path) -> None:
    own = settings("127.0.0.1:1", folder, None, ca_file=folder / "none.crt")
    with pytest.raises(StageError, match=r"none\.crt") as refused:
        async with create(own):
            pass
    assert refused.value.reason == Reason.CERTIFICATE_INVALID


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"address": "https://triton:8001"}, "without a scheme"),
        ({"address": "triton"}, "HOST:PORT"),
        ({"address": "triton:99999"}, "HOST:PORT"),
        ({"cert_file": "a.crt"}, "belong together"),
        ({"tls": False, "ca_file": "a.crt"}, "TLS, which is off"),
        ({"tls": False, "token_file": "token"}, "needs TLS"),
        ({"token_header": "a-bin"}, "carry no token"),
        ({"token_header": "Two words"}, "pattern"),
        ({"input": "audio"}, "belong together"),
        ({"model_version": "latest"}, "pattern"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(own: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TritonSettings(**own)


@pytest.mark.parametrize("name", ["address", "model"])
async def test_what_is_not_named_is_asked_for(folder: Path, name: str) -> None:
    own: dict[str, Any] = {"address": "127.0.0.1:1", "model": MODEL, name: ""}
    with pytest.raises(StageError, match=f"MAIE_ALIGNMENT_TRITON_{name.upper()}") as refused:
        async with create(AlignmentSettings(triton=TritonSettings(**own, model_path=folder))):
            pass
    assert refused.value.reason == Reason.MODEL_MISSING
