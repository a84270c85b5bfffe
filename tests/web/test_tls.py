"""HTTP over TLS: a renewed certificate is served without a restart."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from maie_tls.pem import read_certificates
from maie_web.server import serve_web
from maie_web.settings import WebSettings
from tests.certificates import TestCa
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


async def test_a_renewed_certificate_is_served_and_open_connections_go_on(tmp_path: Path) -> None:
    ca = TestCa(folder=tmp_path)
    first, renewed = ca.issue("web"), ca.issue("web")
    ca.write("web", first)
    paths = ca.paths("web")
    settings = WebSettings(
        listen="127.0.0.1:0", tls_cert_file=paths["certificate"], tls_key_file=paths["key"]
    )
    async with serve_web(settings) as address:
        port = int(address.rpartition(":")[2])
        trusted = ssl.create_default_context(cafile=ca.ca_file)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
        assert _served(writer) == _number(first.certificate)
        ca.write("web", renewed)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await _served_now(port, trusted) != _number(renewed.certificate):
                await asyncio.sleep(0.05)
        writer.write(b"GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()


async def _served_now(port: int, trusted: ssl.SSLContext) -> int:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
    try:
        return _served(writer)
    finally:
        writer.close()
        await writer.wait_closed()


def _served(writer: asyncio.StreamWriter) -> int:
    certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return _number(ssl.DER_cert_to_PEM_cert(certificate).encode())


def _number(certificate: bytes) -> int:
    return read_certificates(certificate)[0].serial_number
