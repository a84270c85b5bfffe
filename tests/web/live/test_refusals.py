"""Who may speak over a WebSocket, and what is refused how."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from maie.access.v1 import access_pb2 as access
from maie_runtime.vault.key_file import new_line
from tests.gateway.live.speech import said
from tests.web.conftest import Web, web_before
from tests.web.live.page import CONFIG, a_page

pytestmark = pytest.mark.mesh


async def a_key(web: Web, scope: access.Scope = access.SCOPE_LIVE) -> str:
    """A key of the tenant acme."""
    return (await web.grpc.keys.create(tenant="acme", scopes=[scope])).api_key


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
async def test_a_page_of_another_site_gets_no_connection(live_web: Web, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with a_page(live_web.url, origin=origin):
            pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body)["reason"] == "ORIGIN_REFUSED"


async def test_a_login_counts_for_pages_of_this_address_alone(live_web: Web) -> None:
    key = await a_key(live_web)
    async with web_before(live_web.grpc, local_user=False, session_key=new_line()) as strict:
        assert (await strict.http.post("/v1/session", json={"key": key})).status_code == 200
        shown = {"cookie": f"maie-session={strict.http.cookies['maie-session']}"}
        async with a_page(strict.url, headers=shown, origin=strict.url) as page:
            started = await page.start()
            await page.speak(said([1]))
            await page.next("final")
        for origin in ("https://evil.example", strict.url.replace("http", "https"), None):
            with pytest.raises(InvalidStatus) as refused:
                async with a_page(strict.url, headers=shown, origin=origin):
                    pass
            assert refused.value.response.status_code == 403
    assert (await live_web.grpc.acting(tenant="acme").get_job(started["session_id"])).job_id


async def test_a_key_comes_as_a_subprotocol_too(live_web: Web) -> None:
    key = await a_key(live_web)
    async with web_before(live_web.grpc, local_user=False) as strict:
        async with a_page(
            strict.url,
            origin="https://app.example",
            subprotocols=["maie.live.v1", f"maie.key.{key}"],
        ) as page:
            assert page.socket.subprotocol == "maie.live.v1"
            await page.start()
        async with a_page(strict.url) as page:
            assert await page.failure() == (4401, "CREDENTIALS_MISSING")
        wrong = ["maie.live.v1", "maie.key.maie_wrong"]
        async with a_page(strict.url, subprotocols=wrong) as page:
            await page.send(start={"config": CONFIG})
            assert await page.failure() == (4401, "CREDENTIALS_INVALID")
        reader = await a_key(live_web, access.SCOPE_READ)
        async with a_page(strict.url, headers={"x-api-key": reader}) as page:
            await page.send(start={"config": CONFIG})
            assert await page.failure() == (4403, "SCOPE_MISSING")


GARBAGE: list[tuple[Any, str]] = [
    ("", "REQUEST_UNREADABLE"),
    ("garbage", "REQUEST_UNREADABLE"),
    ("[]", "REQUEST_UNREADABLE"),
    ("{}", "REQUEST_UNREADABLE"),
    ("[" * 100_000, "REQUEST_UNREADABLE"),
    ('{"stop": {}}', "REQUEST_UNREADABLE"),
    ('{"end": {}, "keep_alive": {}}', "REQUEST_UNREADABLE"),
    ('{"end": 5}', "REQUEST_UNREADABLE"),
    ('{"end": null}', "REQUEST_UNREADABLE"),
    ('{"join": {"track": "\\ud800"}}', "REQUEST_UNREADABLE"),
    ('{"silence": {"duration": "long"}}', "REQUEST_UNREADABLE"),
    ('{"audio": {"content": "a"}}', "REQUEST_UNREADABLE"),
    ('{"finalize": {"sequence": 7}}', "FIELD_INVALID"),
    ('{"start": {}}', "STREAM_OUT_OF_ORDER"),
    (b"\0", "AUDIO_PART_INVALID"),
    (b"\0\0" * 16_001, "AUDIO_PART_INVALID"),
]


@pytest.mark.parametrize(("message", "reason"), GARBAGE)
async def test_garbage_ends_the_connection_and_the_session_can_be_resumed(
    live_web: Web, message: str | bytes, reason: str
) -> None:
    async with a_page(live_web.url) as page:
        started = await page.start()
        await page.socket.send(message)
        assert await page.failure() == (4400, reason)
    async with a_page(live_web.url) as page:
        resumed = await page.start(
            session_id=started["session_id"], resume_token=started["resume_token"]
        )
        assert resumed["session_id"] == started["session_id"]


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ({"keep_alive": {}}, (4400, "STREAM_OUT_OF_ORDER")),
        ({"audio": {"track": "a"}}, (4400, "STREAM_OUT_OF_ORDER")),
        ({"start": {}}, (4400, "AUDIO_FORMAT_INVALID")),
        ({"start": {"session_id": "unknown", "resume_token": "a"}}, (4404, "SESSION_NOT_FOUND")),
    ],
)
async def test_a_session_begins_with_a_start_that_can_be_done(
    live_web: Web, first: dict[str, Any], expected: tuple[int, str]
) -> None:
    async with a_page(live_web.url) as page:
        await page.send(**first)
        assert await page.failure() == expected


async def test_a_message_that_is_too_long_ends_the_connection(live_web: Web) -> None:
    async with a_page(live_web.url) as page:
        await page.start()
        await page.socket.send(b"\0" * ((1 << 20) + 2))
        await page.over.wait()
        assert page.code == 1009
