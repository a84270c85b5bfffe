"""What a file is, its content says and never its name."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from maie_client import Client, ClientError
from maie_gateway.settings import GatewaySettings
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
PDF = b"%PDF-1.7\n" + bytes(1000)


async def pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.fixture(scope="module")
async def client(shared_mesh: EmptyMesh) -> AsyncIterator[Client]:
    """A client of a gateway."""
    async with shared_mesh.gateway() as address, Client(address) as client:
        yield client


@pytest.mark.parametrize(
    "name",
    [
        *("Meeting 2026-11-29 12.30", "voice.amr", "x.w64", "call.3gp", "a.aiff", "a.caf", "a.ts"),
        *("a.wma", "a.avi", "interview v1.2 (final).new", ".wav", "no name", "a.", "talk.txt", ""),
    ],
)
async def test_a_recording_is_taken_whatever_its_name(client: Client, name: str) -> None:
    made = await client.create_job(pieces(b"RIFF....WAVE", 100), features=RAW, filename=name)
    assert made.config.filename == name


@pytest.mark.parametrize("size", [1, 3, 100_000])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, "PDF"),
        (b"PK\x03\x04" + bytes(1000), "ZIP"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "PNG"),
        (b"\xff\xd8\xff\xe0" + bytes(1000), "JPEG"),
        (b"\x1f\x8b\x08" + bytes(1000), "gzip"),
    ],
)
async def test_what_is_certainly_no_recording_is_refused_by_a_true_sentence(
    client: Client, content: bytes, kind: str, size: int
) -> None:
    with pytest.raises(ClientError, match=f"is an? .*{kind}") as refused:
        await client.create_job(pieces(content, size), features=RAW, filename="talk.mp3")
    assert (refused.value.code.name, refused.value.reason) == (
        "INVALID_ARGUMENT",
        "UNSUPPORTED_FORMAT",
    )


async def test_an_archive_is_refused_before_all_of_it_is_sent(client: Client) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"PK\x03\x04"
        while True:
            sent += 1
            yield bytes(256 * 1024)

    with pytest.raises(ClientError, match="archive"):
        await client.create_job(endless(), features=RAW)
    assert sent * 256 * 1024 < GatewaySettings().max_upload_bytes
