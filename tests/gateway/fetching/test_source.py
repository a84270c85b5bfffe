"""A server that is asked for a recording is not trusted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
from yarl import URL

from maie_core.errors import StageError
from maie_gateway.fetching.naming import filename_of
from maie_gateway.fetching.source import Sources, following
from tests.conftest import free_port
from tests.gateway.fetching.origin import (
    AUDIO,
    Answer,
    Origin,
    addresses,
    answer,
    redirect,
    sources,
    status,
)

pytestmark = pytest.mark.unit
LOOPBACK = [ip_network("127.0.0.1/32")]
NAMES = addresses(origin=["127.0.0.1"], inside=["10.0.0.1"], half=["127.0.0.1", "10.0.0.1"])


@pytest.fixture
async def opened() -> AsyncIterator[Sources]:
    async with sources(NAMES, LOOPBACK) as opened:
        yield opened


async def fetched(opened: Sources, url: str) -> bytes:
    async with opened.open(url) as source:
        return b"".join([piece async for piece in source.pieces()])


async def refused(opened: Sources, url: str) -> str:
    with pytest.raises(StageError) as caught:
        await fetched(opened, url)
    assert url not in caught.value.message
    return caught.value.reason


async def test_a_recording_comes_through_redirects_as_it_is(
    opened: Sources, origin: Origin
) -> None:
    origin.answers |= {
        "/a": redirect("/b?sig=%2F%7e", 307),
        "/b?sig=%2F%7e": redirect(origin.url("/c", "origin.test")),
        "/c": answer(AUDIO),
    }
    async with opened.open(origin.url("/a")) as source:
        assert source.size_bytes == len(AUDIO)
        assert b"".join([piece async for piece in source.pieces()]) == AUDIO
    # As they were written: a signature may be of that.
    assert origin.paths == ["/a", "/b?sig=%2F%7e", "/c"]
    assert f"Host: origin.test:{origin.port}" in origin.requests[-1]
    assert "Accept-Encoding: identity" in origin.requests[-1]


async def test_the_address_that_was_checked_is_connected_to(origin: Origin) -> None:
    given = [["127.0.0.1"], ["10.0.0.1"]]
    asked = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return given.pop(0)

    origin.answers["/a"] = answer(AUDIO)
    async with sources(rebinding, LOOPBACK) as opened:
        assert await fetched(opened, origin.url("/a", "rebind.test")) == AUDIO
        assert await refused(opened, origin.url("/a", "rebind.test")) == "URI_NOT_ALLOWED"
    assert asked == ["rebind.test"] * 2
    assert len(origin.requests) == 1


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.2/",
        "http://[::1]/",
        "http://inside.test/",
        "http://half.test/",
        "//inside.test/x",
        "http://user:secret@origin.test/",
        "file:///etc/passwd",
        "ftp://origin.test/a",
    ],
)
async def test_neither_a_url_nor_a_redirect_leads_inside(
    opened: Sources, origin: Origin, target: str
) -> None:
    origin.answers["/a"] = redirect(target)
    assert await refused(opened, origin.url("/a")) == "URI_NOT_ALLOWED"
    assert await refused(opened, target) == "URI_NOT_ALLOWED"
    assert origin.paths == ["/a"]


async def test_a_gateway_without_the_setting_reaches_no_loopback(origin: Origin) -> None:
    async with sources(NAMES) as opened:
        assert await refused(opened, origin.url("/a")) == "URI_NOT_ALLOWED"
        assert await refused(opened, origin.url("/a", "origin.test")) == "URI_NOT_ALLOWED"
    assert origin.requests == []


def test_no_redirect_leaves_https() -> None:
    at = URL("https://origin.test/a?key=secret")
    assert following(at, "b") == "https://origin.test/b"
    assert following(at, "https://other.test/b") == "https://other.test/b"
    with pytest.raises(StageError, match="from https to http"):
        following(at, "http://origin.test/a?key=secret")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (status(404), "FETCH_NOT_FOUND"),
        (status(410), "FETCH_NOT_FOUND"),
        (status(401), "FETCH_FORBIDDEN"),
        (status(403), "FETCH_FORBIDDEN"),
        (status(400), "FETCH_REFUSED"),
        (status(204), "FETCH_REFUSED"),
        (status(304), "FETCH_REFUSED"),
        (answer(AUDIO[:99], 206), "FETCH_REFUSED"),
        (redirect(""), "FETCH_REFUSED"),
        (redirect("/a"), "FETCH_REFUSED"),
        (answer(AUDIO, content_encoding="gzip"), "FETCH_REFUSED"),
        (answer(b"<html>", content_type="text/html; charset=utf-8"), "UNSUPPORTED_FORMAT"),
        (status(429), "FETCH_UNAVAILABLE"),
        (status(500), "FETCH_UNAVAILABLE"),
        (answer(AUDIO, content_length=str(2 * len(AUDIO))), "FETCH_INCOMPLETE"),
        (
            answer(b"5\r\nsound\r\n", content_length="", transfer_encoding="chunked"),
            "FETCH_INCOMPLETE",
        ),
        (answer(AUDIO, content_length="many"), "FETCH_UNAVAILABLE"),
        (answer(AUDIO, content_length="1000"), "FETCH_UNAVAILABLE"),
    ],
)
async def test_what_is_no_whole_recording_is_refused(
    opened: Sources, origin: Origin, given: Answer, reason: str
) -> None:
    origin.answers["/a"] = given
    assert await refused(opened, origin.url("/a")) == reason


async def test_five_redirects_are_followed_and_no_more(opened: Sources, origin: Origin) -> None:
    origin.answers |= {f"/{number}": redirect(f"/{number + 1}") for number in range(6)}
    origin.answers["/6"] = answer(AUDIO)
    assert await fetched(opened, origin.url("/1")) == AUDIO
    assert await refused(opened, origin.url("/0")) == "FETCH_REFUSED"


async def test_nobody_there_is_a_fault_that_may_pass(opened: Sources) -> None:
    assert await refused(opened, f"http://127.0.0.1:{free_port()}/") == "FETCH_UNAVAILABLE"
    assert await refused(opened, "http://absent.test/") == "FETCH_UNAVAILABLE"


@pytest.mark.parametrize(
    ("path", "disposition", "name"),
    [
        ("/talks/Mon%20day.mp3?sig=a/b", "", "Mon day.mp3"),
        ("/download", 'attachment; filename="talk one.wav"', "talk one.wav"),
        ("/download", "attachment; filename=a.wav; filename*=UTF-8''K%C3%BCche.wav", "Küche.wav"),
        ("/download", 'attachment; filename="../../etc/passwd"', "passwd"),
        ("/download", 'attachment; filename="C:\\\\x\\\\talk.wav"', "talk.wav"),
        ("/download", 'attachment; filename="a\x07b\u202e.wav"', "ab.wav"),
        ("/download", 'attachment; filename="\udcffa.wav"', "a.wav"),
        ("/talk.mp3", "nonsense, without; any; sense", "talk.mp3"),
        ("/talk.mp3", ";;;", "talk.mp3"),
        ("/", "inline", ""),
        ("/" + "x" * 300 + ".wav", "", "x" * 251 + ".wav"),
    ],
)
def test_the_name_is_the_servers_or_the_paths_and_harmless(
    path: str, disposition: str, name: str
) -> None:
    headers = {"Content-Disposition": disposition}
    assert filename_of(URL(f"https://origin.test{path}", encoded=True), headers) == name
