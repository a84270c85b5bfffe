"""A job's audio over HTTP: whole, in parts, and in a browser."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Page
from werkzeug.http import parse_options_header

from maie_client import Client
from tests.browser import needs_chromium
from tests.conftest import free_port
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web, web_before

pytestmark = pytest.mark.mesh

NAME = 'Küche – 会议 "x".mp3'
AUDIO = b"RIFF\0\0\0\0WAVE" + bytes(range(256)) * 4000
SIZE = len(AUDIO)
SECONDS = 120


async def _of(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _place(client: Client, content: bytes = AUDIO, name: str = NAME) -> str:
    made = await client.create_job(_of(content), features=("raw_transcript",), filename=name)
    return f"/v1/jobs/{made.job_id}/audio"


async def test_the_whole_comes_with_its_name_type_and_version(shared_web: Web) -> None:
    place = await _place(shared_web.grpc)
    got = await shared_web.http.get(place)
    head = await shared_web.http.head(place, headers={"range": "bytes=0-1"})
    assert (got.status_code, got.content) == (200, AUDIO)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "accept-ranges", "content-disposition"):
        assert head.headers[name] == got.headers[name]
    assert (head.headers["content-length"], head.headers["content-type"]) == (
        str(SIZE),
        "audio/wav",
    )
    assert head.headers["x-content-type-options"] == "nosniff"
    kind, options = parse_options_header(got.headers["content-disposition"])
    assert (kind, options["filename"]) == ("inline", NAME)
    known = await shared_web.http.get(
        place, headers={"if-none-match": f'"x", {got.headers["etag"]}'}
    )
    assert (known.status_code, known.content, known.headers["etag"]) == (
        304,
        b"",
        got.headers["etag"],
    )


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=300000-", 300_000, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=-10", SIZE - 10, SIZE),
        ("bytes=-99999999999", 0, SIZE),
        ("bytes=7-99999999999", 7, SIZE),
        ("BYTES=5-9", 5, 10),
    ],
)
async def test_a_range_is_206(shared_web: Web, asked: str, start: int, end: int) -> None:
    got = await shared_web.http.get(await _place(shared_web.grpc), headers={"range": asked})
    assert (got.status_code, got.content) == (206, AUDIO[start:end])
    assert got.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert got.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0"])
async def test_a_range_beyond_the_end_is_416(shared_web: Web, asked: str) -> None:
    got = await shared_web.http.get(await _place(shared_web.grpc), headers={"range": asked})
    assert (got.status_code, got.headers["content-range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,5-6", "bytes=9-5", "bytes=-", "lines=1-2", "bytes=a-b", "bytes=" + "9" * 50],
)
async def test_what_is_no_single_range_gives_the_whole(shared_web: Web, asked: str) -> None:
    got = await shared_web.http.get(await _place(shared_web.grpc), headers={"range": asked})
    assert (got.status_code, got.content) == (200, AUDIO)


async def test_a_range_of_another_version_gives_the_whole(shared_web: Web) -> None:
    place = await _place(shared_web.grpc)
    etag = (await shared_web.http.head(place)).headers["etag"]
    for version, status in ((etag, 206), ('"other"', 200), ("Tue, 01 Dec 2026 00:00:00 GMT", 200)):
        headers = {"range": "bytes=0-1", "if-range": version}
        assert (await shared_web.http.get(place, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"fLaC\0", "audio/flac"),
        (b"OggS\0", "audio/ogg"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"\xff\xf1\x50", "audio/aac"),
        (b"\0\0\0\x18ftypM4A \0", "audio/mp4"),
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"\x1a\x45\xdf\xa3\x42\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x42\x82\x88matroska", "video/x-matroska"),
        (b"of no kind <!doctype html><script>", "application/octet-stream"),
    ],
)
async def test_the_type_is_that_of_the_container(shared_web: Web, head: bytes, kind: str) -> None:
    got = await shared_web.http.head(await _place(shared_web.grpc, head + bytes(100), "page.html"))
    assert got.headers["content-type"] == kind


def _damage(blob_url: str) -> None:
    """Changes the last byte of the only recording in an object store."""
    files = [path for path in Path(urlsplit(blob_url).path).rglob("*") if path.is_file()]
    (stored,) = [path for path in files if AUDIO in path.read_bytes()]
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")


async def test_audio_that_is_not_what_was_stored_is_not_whole(
    web: Web, empty_mesh: EmptyMesh
) -> None:
    place = await _place(web.grpc)
    _damage(empty_mesh.mesh.blob_url)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        await web.http.get(place)
    assert (await web.http.get("/health/live")).status_code == 200


async def test_a_download_goes_on_at_a_gateway_that_comes_back(empty_mesh: EmptyMesh) -> None:
    """The first gateway stops when a part has come, more of which fits into no buffer."""
    empty_mesh.gateway_options["listen"] = f"127.0.0.1:{free_port()}"
    large = AUDIO * 60
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(empty_mesh.services())
        gateway = AsyncExitStack()
        address = await gateway.enter_async_context(empty_mesh.gateway())
        client = await stack.enter_async_context(Client(address))
        web = await stack.enter_async_context(web_before(client))
        place = await _place(client, large)
        headers = {"range": f"bytes=10-{len(large) - 11}"}
        got = await stack.enter_async_context(web.http.stream("GET", place, headers=headers))
        chunks = got.aiter_raw()
        found = [await anext(chunks)]
        await gateway.aclose()
        await stack.enter_async_context(empty_mesh.gateway())
        found += [chunk async for chunk in chunks]
    assert b"".join(found) == large[10:-10]


def _tone() -> bytes:
    """Two minutes of a tone, as WAV."""
    rate, file = 16_000, io.BytesIO()
    second = [round(9000 * math.sin(math.tau * 440 * at / rate)) for at in range(rate)]
    with wave.open(file, "wb") as writing:
        writing.setnchannels(1)
        writing.setsampwidth(2)
        writing.setframerate(rate)
        writing.writeframes(struct.pack(f"<{rate}h", *second) * SECONDS)
    return file.getvalue()


@needs_chromium
async def test_a_browser_seeks_and_plays(web: Web, page: Page) -> None:
    place = await _place(web.grpc, _tone(), "tone.wav")
    ranges = []
    page.on("request", lambda request: ranges.append(request.headers.get("range", "")))
    await page.goto(f"{web.url}/health/live")
    played = await page.evaluate(
        """async place => {
            const audio = document.createElement("audio");
            const event = name => new Promise((resolve, reject) => {
                audio.addEventListener(name, resolve, {once: true});
                audio.addEventListener("error", () => reject(audio.error.message), {once: true});
            });
            audio.muted = true;
            audio.preload = "metadata";
            const known = event("loadedmetadata");
            audio.src = place;
            await known;
            const sought = event("seeked");
            audio.currentTime = 100;
            await sought;
            await audio.play();
            while (audio.currentTime < 100.2) await event("timeupdate");
            audio.pause();
            return [audio.duration, audio.currentTime];
        }""",
        place,
    )
    assert played[0] == SECONDS
    assert 100 < played[1] < SECONDS
    asked = [int(each.removeprefix("bytes=").split("-")[0]) for each in ranges if each]
    assert max(asked) > 0  # it went to the place, and did not read all before it
