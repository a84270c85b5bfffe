"""Logins of browsers: a sealed cookie in place of a key."""

from __future__ import annotations

import base64
import json
import secrets
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import ValidationError

from maie.access.v1 import access_pb2 as access
from maie_runtime.vault.key_file import new_line
from maie_web.sessions.seal import NONCE_BYTES, Seal, context_of
from maie_web.sessions.session import PendingLogin, Session
from maie_web.settings import WebSettings
from tests.gateway.access.conftest import eventually
from tests.web.conftest import Web, web_before

pytestmark = pytest.mark.mesh

NAME = "maie-session"


async def a_key(web: Web, **options: object) -> str:
    """A key of the tenant acme that reads."""
    scopes = [access.SCOPE_READ]
    made = await web.grpc.keys.create(tenant="acme", scopes=scopes, **options)  # type: ignore[arg-type]
    return made.api_key


async def log_in(web: Web, key: str) -> httpx.Response:
    """Logs the web part's client in."""
    got = await web.http.post("/v1/session", json={"key": key})
    assert got.status_code == 200, got.text
    return got


async def test_a_login_counts_in_place_of_a_key(web: Web) -> None:
    key = await a_key(web)
    got = await log_in(web, key)
    cookie = got.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert "Domain" not in cookie
    assert key not in cookie
    value = web.http.cookies[NAME]
    sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    assert key.encode() not in sealed
    said = got.json()
    assert said["logged_in"]
    assert said["caller"]["tenant"] == "acme"
    assert said["caller"]["scopes"] == ["READ"]

    shown = (await web.http.get("/v1/session")).json()
    assert shown == said
    assert (await web.http.get("/v1/jobs")).status_code == 200
    refused = await web.http.post("/v1/jobs/x/cancel")
    assert (refused.status_code, refused.json()["reason"]) == (403, "SCOPE_MISSING")

    gone = await web.http.delete("/v1/session")
    assert gone.status_code == 204
    assert NAME not in web.http.cookies
    after = (await web.http.get("/v1/session")).json()
    assert not after["logged_in"]
    assert after["caller"]["caller_id"].startswith("local:")
    assert after["caller"]["names_tenants"]


async def test_a_header_counts_before_a_login(web: Web) -> None:
    await log_in(web, await a_key(web))
    made = await web.grpc.keys.create(tenant="other", scopes=[access.SCOPE_READ])
    got = await web.http.get("/v1/session", headers={"x-api-key": made.api_key})
    assert (got.json()["caller"]["tenant"], got.json()["logged_in"]) == ("other", False)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"key": "maie_wrong"}, 401, "CREDENTIALS_INVALID"),
        ({"key": "nonsense"}, 401, "CREDENTIALS_INVALID"),
        ({"key": ""}, 400, "FIELD_INVALID"),
        ({}, 400, "REQUEST_UNREADABLE"),
        ({"key": 5}, 400, "REQUEST_UNREADABLE"),
    ],
)
async def test_a_wrong_key_logs_nobody_in(
    shared_web: Web, body: dict[str, object], status: int, reason: str
) -> None:
    got = await shared_web.http.post("/v1/session", json=body)
    assert (got.status_code, got.json()["reason"]) == (status, reason)
    assert "set-cookie" not in got.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
async def test_pages_of_other_sites_do_not_act_by_a_login(
    shared_web: Web, headers: dict[str, str]
) -> None:
    key = await a_key(shared_web)
    async with web_before(shared_web.grpc, local_user=False) as strict:
        await log_in(strict, key)
        for method, path in (
            ("GET", "/v1/jobs"),
            ("POST", "/v1/jobs/x/cancel"),
            ("POST", "/v1/process"),
            ("DELETE", "/v1/session"),
            ("GET", "/v1/session"),
        ):
            got = await strict.http.request(method, path, headers=headers)
            assert (got.status_code, got.json()["reason"]) == (403, "ORIGIN_REFUSED")
            assert "set-cookie" not in got.headers
        forced = await strict.http.post("/v1/session", json={"key": key}, headers=headers)
        assert forced.status_code == 403
        own = await strict.http.get("/v1/jobs", headers={"origin": strict.url})
        assert own.status_code == 200


async def test_behind_a_proxy_cookies_are_for_tls_and_this_host_alone(shared_web: Web) -> None:
    key = await a_key(shared_web)
    async with web_before(shared_web.grpc, plaintext="behind-a-proxy") as proxied:
        got = await log_in(proxied, key)
        cookie = got.headers["set-cookie"]
        assert cookie.startswith(f"__Host-{NAME}=")
        assert "Secure" in cookie
        value = cookie.split(";")[0].partition("=")[2]
        host = proxied.url.removeprefix("http://")
        shown = {"cookie": f"__Host-{NAME}={value}"}
        assert (await proxied.http.get("/v1/jobs", headers=shown)).status_code == 200
        unsafe = {"cookie": f"{NAME}={value}"}
        assert (await proxied.http.get("/v1/jobs", headers=unsafe)).status_code == 401
        for origin, status in ((f"https://{host}", 200), (f"http://{host}", 403)):
            got = await proxied.http.get("/v1/jobs", headers={**shown, "origin": origin})
            assert got.status_code == status


async def test_a_login_ends_with_its_time_and_with_its_key(web: Web) -> None:
    hour = await log_in(web, await a_key(web, lifetime=timedelta(hours=1)))
    ends = datetime.fromisoformat(hour.json()["expire_time"])
    assert timedelta(minutes=50) < ends - datetime.now(UTC) <= timedelta(hours=1)

    made = await web.grpc.keys.create(tenant="acme", scopes=[access.SCOPE_READ])
    await log_in(web, made.api_key)
    await web.grpc.keys.revoke(made.key.key_id)

    async def is_over() -> bool:
        got = await web.http.get("/v1/session")
        assert got.status_code == 200 or got.json()["reason"] == "CREDENTIALS_INVALID"
        return got.status_code == 401

    assert await eventually(is_over)


async def test_several_web_parts_share_logins_by_their_key_alone(shared_web: Web) -> None:
    key = await a_key(shared_web)
    one, two = new_line(), new_line()
    async with (
        web_before(shared_web.grpc, local_user=False, session_key=one) as first,
        web_before(shared_web.grpc, local_user=False, session_key=two + one) as second,
        web_before(shared_web.grpc, local_user=False, session_key=two) as third,
        web_before(shared_web.grpc, local_user=False) as alone,
    ):
        await log_in(first, key)
        shown = {"cookie": f"{NAME}={first.http.cookies[NAME]}"}
        for part, status in ((first, 200), (second, 200), (third, 401), (alone, 401)):
            assert (await part.http.get("/v1/jobs", headers=shown)).status_code == status


async def test_a_cookie_that_nobody_sealed_is_none(shared_web: Web) -> None:
    async with web_before(shared_web.grpc, local_user=False) as strict:
        await log_in(strict, await a_key(shared_web))
        sealed = strict.http.cookies[NAME]
        flipped = sealed[:-4] + ("A" if sealed[-4] != "A" else "B") + sealed[-3:]
        strict.http.cookies.clear()
        for value in ("x", "%%%", "", flipped, sealed[: len(sealed) // 2], "A" * 3000):
            got = await strict.http.get("/v1/jobs", headers={"cookie": f"{NAME}={value}"})
            assert (got.status_code, got.json()["reason"]) == (401, "CREDENTIALS_MISSING")


def test_what_is_sealed_opens_until_it_ends_and_is_not_shown() -> None:
    seal = Seal(new_line())
    lasting = Session(token="a" * 8192, expires_at=time.time() + 60)
    assert seal.open(seal.close(lasting), Session) == lasting
    assert lasting.token not in repr(lasting)
    assert seal.open(seal.close(Session(token="a", expires_at=time.time() - 1)), Session) is None
    assert seal.close(lasting) != seal.close(lasting)


def test_another_content_of_the_key_is_no_login() -> None:
    line = new_line()
    nonce = secrets.token_bytes(NONCE_BYTES)
    content = json.dumps({"token": "a", "expires_at": time.time() + 60}).encode()
    sealed = nonce + AESGCM(base64.b64decode(line)).encrypt(
        nonce, content, context_of(PendingLogin)
    )
    assert Seal(line).open(base64.urlsafe_b64encode(sealed).decode(), Session) is None


def test_a_session_key_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="32 bytes in Base64"):
        WebSettings(session_key="short")


async def test_long_credentials_take_several_cookies(shared_web: Web) -> None:
    line = new_line()
    session = Session(token="h." + "a" * 7000 + ".s", expires_at=time.time() + 60)
    sealed = Seal(line).close(session)
    async with web_before(shared_web.grpc, local_user=False, session_key=line) as strict:
        parts = [sealed[start : start + 3800] for start in range(0, len(sealed), 3800)]
        assert len(parts) == 3
        names = [NAME, f"{NAME}-2", f"{NAME}-3"]
        cookie = "; ".join(f"{name}={part}" for name, part in zip(names, parts, strict=True))
        got = await strict.http.get("/v1/jobs", headers={"cookie": cookie})
        # The login is read; the gateway has no issuer of tokens.
        assert (got.status_code, got.json()["reason"]) == (401, "CREDENTIALS_INVALID")
        out = await strict.http.delete("/v1/session", headers={"cookie": cookie})
        assert len(out.headers.get_list("set-cookie")) == 3
